# ecs=off: the resolver's address decides, and the answer holds for everyone behind it.
zone example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
one   REGION 50 8
      A   192.0.2.1
two   REGION 36 140
      A   192.0.2.2
app   GEO nearest one two ecs=off
end
place 133.11.0.0/16 country=JP at=35.65,139.73
place 141.2.0.0/16 country=DE at=50.1,8.7
query app.example.com A from=133.11.0.1/32 resolver=141.2.0.53
  rcode NOERROR aa
  answer app.example.com. 30 IN A 192.0.2.1
  scope 0
query app.example.com A from=141.2.3.4/32 resolver=133.11.0.53
  rcode NOERROR aa
  answer app.example.com. 30 IN A 192.0.2.2
  scope 0
