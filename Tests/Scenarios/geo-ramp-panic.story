# GEO ramp= and panic=: a target that comes back, and too few targets that are left.
zone example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
web   CHECK tcp 80
one   REGION 50 8 check=web capacity=500
      A   192.0.2.1
two   REGION 40 -70 check=web capacity=300
      A   192.0.2.2
three REGION 35 140 check=web capacity=200
      A   192.0.2.3
spare A   192.0.2.99
soft  60/10 GEO failover one two ramp=10m
drawn 60/10 GEO failover one two ramp=10m by=query
deaf  60/10 GEO failover one two ramp=10m ecs=off
alone GEO failover one ramp=10m
share GEO hash one two ramp=10m
near  GEO nearest one two three panic=60% backup=spare
half  GEO failover one two three spare panic=51%
inner GEO failover near spare
end
query soft.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer soft.example.com. 60 IN A 192.0.2.1
  scope 0
# None of its clients yet: all go on to the next, prefix by prefix, and not for long.
ramping one 0
query soft.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer soft.example.com. 10 IN A 192.0.2.2
  scope 24
query soft.example.com A from=2001:db8::/56
  rcode NOERROR aa
  answer soft.example.com. 10 IN A 192.0.2.2
  scope 48
query drawn.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer drawn.example.com. 10 IN A 192.0.2.2
  scope 0
query deaf.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer deaf.example.com. 10 IN A 192.0.2.2
  scope 0
query alone.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer alone.example.com. 30 IN A 192.0.2.1
query share.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer share.example.com. 30 IN A 192.0.2.2
  scope 24
# Some of its clients.
ramping one 50
query soft.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.2
  scope 24
# There is no other: it gets all.
down two
query soft.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer soft.example.com. 10 IN A 192.0.2.1
# 500 of 1000 are left, and 60 % wanted: health is ignored. Three of four targets are not too few.
up two
down one
query near.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer near.example.com. 30 IN A 192.0.2.1
query half.example.com A
  rcode NOERROR aa
  answer half.example.com. 30 IN A 192.0.2.2
# Two of four are.
down two
query half.example.com A
  rcode NOERROR aa
  answer half.example.com. 30 IN A 192.0.2.1
# What is drained is left alone.
up one
drain one
query half.example.com A
  rcode NOERROR aa
  answer half.example.com. 30 IN A 192.0.2.2
# Of nothing at all it is for backups to say.
down one
down three
query near.example.com A
  rcode NOERROR aa
  answer near.example.com. 30 IN A 192.0.2.99
