# The states between up and down: what is answered in each.
zone example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
web   CHECK tcp 80
one   REGION 50 8 check=web
      A   192.0.2.1
      A   192.0.2.11
two   REGION 40 -70 check=web require=all
      A   192.0.2.2
      A   192.0.2.22
www   60/10 GEO failover one two
only  GEO failover one
back  GEO failover two one
end
# Degraded targets are answered like others.
degraded one
query www.example.com A
  rcode NOERROR aa
  answer www.example.com. 60 IN A 192.0.2.1
  answer www.example.com. 60 IN A 192.0.2.11
# A target that is drained gets no more clients, while another is there.
up one
drain one
query www.example.com A
  rcode NOERROR aa
  answer www.example.com. 10 IN A 192.0.2.2
  answer www.example.com. 10 IN A 192.0.2.22
query only.example.com A
  rcode NOERROR aa
  answer only.example.com. 30 IN A 192.0.2.1
  answer only.example.com. 30 IN A 192.0.2.11
# Of its addresses those that are drained are left out.
up one
drain 192.0.2.11
query www.example.com A
  rcode NOERROR aa
  answer www.example.com. 60 IN A 192.0.2.1
# A region that wants all of its addresses is drained with any of them.
drain 192.0.2.22
query back.example.com A
  rcode NOERROR aa
  answer back.example.com. 30 IN A 192.0.2.1
