# A client subnet that nobody can have on the Internet says nothing about a place: the resolver's does.
zone gslb.example.com
$TTL 1h
@       SOA ns1 hostmaster 1 2h 30m 2w 1m
        NS  ns1
ns1     A   192.0.2.53
iad     REGION 38.95 -77.45
        A   198.51.100.10
fra     REGION 50.03 8.57
        A   198.51.100.20
nrt     REGION 35.76 140.39
        A   198.51.100.30
app     GEO nearest iad fra nrt
listed  GEO map=atlas
atlas   MAP default              nearest
        MAP country=DE           fra
        MAP net=10.1.0.0/16      nrt
end
place 203.0.113.0/24 country=JP continent=AS at=35.7,139.7
place 198.51.100.0/24 country=DE continent=EU at=50,8
place 10.9.0.0/16 country=US continent=NA at=39,-77

query app.gslb.example.com A from=192.168.1.0/24 resolver=203.0.113.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 16
query app.gslb.example.com A from=192.168.1.0/24 resolver=198.51.100.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
  scope 16
# Loopback, links, carriers' networks, multicast, unique local IPv6, and IPv4 inside of IPv6.
query app.gslb.example.com A from=127.0.0.0/24 resolver=203.0.113.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 8
query app.gslb.example.com A from=169.254.7.0/24 resolver=203.0.113.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
query app.gslb.example.com A from=100.64.7.0/24 resolver=203.0.113.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 10
query app.gslb.example.com A from=239.1.2.0/24 resolver=203.0.113.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 3
query app.gslb.example.com A from=fd12:3456::/48 resolver=203.0.113.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 7
query app.gslb.example.com A from=::ffff:192.168.1.0/120 resolver=203.0.113.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 112
# Whose place is told is there: by the database or a geofeed, or by a line of the map.
query app.gslb.example.com A from=10.9.1.0/24 resolver=203.0.113.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
  scope 16
query listed.gslb.example.com A from=10.1.1.0/24 resolver=198.51.100.9
  rcode NOERROR aa
  answer listed.gslb.example.com. 30 IN A 198.51.100.30
  scope 16
query listed.gslb.example.com A from=10.2.1.0/24 resolver=198.51.100.9
  rcode NOERROR aa
  answer listed.gslb.example.com. 30 IN A 198.51.100.20
# A resolver that nothing is known of either: the order as written.
query app.gslb.example.com A from=192.168.1.0/24 resolver=10.0.0.1
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
# Another address that is in no database is somebody's: by the order as written, not by the resolver.
query app.gslb.example.com A from=8.8.8.0/24 resolver=203.0.113.9
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
