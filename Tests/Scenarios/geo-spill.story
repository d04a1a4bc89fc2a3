# GEO spill= and demand=: a region that is full hands on those who lose least.
zone example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
web   CHECK tcp 80
fra   REGION 50.03 8.57 check=web capacity=100
      A   198.51.100.20
iad   REGION 38.95 -77.45 check=web capacity=200
      A   198.51.100.10
nrt   REGION 35.76 140.39 check=web
      A   198.51.100.30
app   60/10 GEO nearest fra iad nrt spill=on
calm  60/10 GEO nearest fra iad nrt spill=off
first GEO failover fra iad spill=on
outer GEO failover app nrt
drawn GEO failover fra iad spill=on by=query
end
place 203.0.113.0/24 country=DE at=51,9
place 198.18.0.0/24 country=IE at=53,-8
place 192.88.99.0/24 country=US at=39,-77
# All fit: nobody is handed on, though places are told apart.
asking app.example.com 203.0.113.0/24 60
asking app.example.com 198.18.0.0/24 40
query app.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer app.example.com. 60 IN A 198.51.100.20
  scope 24
query app.example.com A from=198.18.0.0/24
  rcode NOERROR aa
  answer app.example.com. 60 IN A 198.51.100.20
# Frankfurt has no room for all of both: Ireland is nearer to the other coast, and goes whole.
asking app.example.com 203.0.113.0/24 100
query app.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer app.example.com. 10 IN A 198.51.100.20
query app.example.com A from=198.18.0.0/24
  rcode NOERROR aa
  answer app.example.com. 10 IN A 198.51.100.10
query outer.example.com A from=198.18.0.0/24
  rcode NOERROR aa
  answer outer.example.com. 10 IN A 198.51.100.10
query calm.example.com A from=198.18.0.0/24
  rcode NOERROR aa
  answer calm.example.com. 60 IN A 198.51.100.20
# With half of Germany too much, by prefix.
asking app.example.com 203.0.113.0/24 200
query app.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  one-of 198.51.100.20 198.51.100.10
  scope 24
# A degraded region has half of its capacity.
asking app.example.com 203.0.113.0/24 50
asking app.example.com 198.18.0.0/24 40
degraded fra
query app.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer app.example.com. 10 IN A 198.51.100.20
query app.example.com A from=198.18.0.0/24
  rcode NOERROR aa
  answer app.example.com. 10 IN A 198.51.100.10
up fra
# Another name fills the region as well, and its clients, of whom no distance counts, lose less.
asking first.example.com 192.88.99.0/24 60
query app.example.com A from=198.18.0.0/24
  rcode NOERROR aa
  answer app.example.com. 60 IN A 198.51.100.20
query first.example.com A from=192.88.99.0/24
  rcode NOERROR aa
  one-of 198.51.100.20 198.51.100.10
  scope 24
# What is down is not full, but gone: everyone has the next, and what is not limited takes the rest.
down fra
query app.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer app.example.com. 10 IN A 198.51.100.10
up fra
asking drawn.example.com 192.88.99.0/24 1000
query drawn.example.com A from=192.88.99.0/24
  rcode NOERROR aa
  one-of 198.51.100.20 198.51.100.10
  scope 0
