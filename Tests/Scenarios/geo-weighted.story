# GEO weighted: drawn shares, shares by client, targets outside the zone.
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
www   GEO weighted one:90 two:10
sure  GEO weighted one:1 two:0
by    GEO weighted one:50 two:50 by=client
cdn   GEO weighted edge.a.example.net.:70 edge.b.example.org.:30
mixed GEO failover one edge.a.example.net.
nested GEO weighted near:1
near  GEO nearest one two
end
place 133.11.0.0/16 country=JP at=35.65,139.73
place 132.0.0.0/8 country=US at=40,-75
query www.example.com A from=133.11.0.1/32
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.2
  scope 0
query sure.example.com A
  rcode NOERROR aa
  answer sure.example.com. 30 IN A 192.0.2.1
# A share by hash of the client's prefix holds for that prefix, and for no wider one.
query by.example.com A from=133.11.0.0/16
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.2
  scope 24
query by.example.com A from=2001:db8::/32
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.2
  scope 48
# A CNAME is the answer to every type.
query cdn.example.com A
  rcode NOERROR aa
  one-of edge.a.example.net. edge.b.example.org.
query cdn.example.com MX
  rcode NOERROR aa
  one-of edge.a.example.net. edge.b.example.org.
# Nested: scope and TTL of the inner name reach the answer.
query nested.example.com A from=133.11.0.1/32
  rcode NOERROR aa
  answer nested.example.com. 30 IN A 192.0.2.1
  scope 8
down one
query www.example.com A
  rcode NOERROR aa
  answer www.example.com. 30 IN A 192.0.2.2
query mixed.example.com A
  rcode NOERROR aa
  answer mixed.example.com. 30 IN CNAME edge.a.example.net.
query sure.example.com A
  rcode NOERROR aa
  answer sure.example.com. 30 IN A 192.0.2.1
