# GEO failover, nested names, backups and last resorts; TTLs by state.
zone example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
web   CHECK tcp 80
one   REGION 50 8 check=web
      A   192.0.2.1
two   REGION 40 -70 check=web
      A   192.0.2.2
      AAAA 2001:db8::2
spare A   192.0.2.99
app   60/10 GEO failover one two
none  GEO failover one two last-resort=none
first GEO failover two one last-resort=first
named GEO failover one two last-resort=spare
guarded GEO failover one two backup=spare
outer 20 GEO failover app spare
plain GEO failover spare
end
query app.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer app.example.com. 60 IN A 192.0.2.1
  scope 0
query outer.example.com A
  rcode NOERROR aa
  answer outer.example.com. 20 IN A 192.0.2.1
query plain.example.com A
  rcode NOERROR aa
  answer plain.example.com. 30 IN A 192.0.2.99
down one
query app.example.com A
  rcode NOERROR aa
  answer app.example.com. 10 IN A 192.0.2.2
query app.example.com AAAA
  rcode NOERROR aa
  answer app.example.com. 10 IN AAAA 2001:db8::2
down two
query app.example.com A
  rcode NOERROR aa
  answer app.example.com. 10 IN A 192.0.2.1
query none.example.com A
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query first.example.com A
  rcode NOERROR aa
  answer first.example.com. 30 IN A 192.0.2.2
query named.example.com A
  rcode NOERROR aa
  answer named.example.com. 30 IN A 192.0.2.99
query guarded.example.com A
  rcode NOERROR aa
  answer guarded.example.com. 30 IN A 192.0.2.99
# The nested name has nothing that is up: the next target of the outer one answers.
query outer.example.com A
  rcode NOERROR aa
  answer outer.example.com. 20 IN A 192.0.2.99
up two
query guarded.example.com A
  rcode NOERROR aa
  answer guarded.example.com. 30 IN A 192.0.2.2
