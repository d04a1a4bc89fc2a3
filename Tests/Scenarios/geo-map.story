# GEO map=: selectors from the narrowest to the widest, services, NODATA places.
zone gslb.example.com
$TTL 1h
@       SOA ns1 hostmaster 1 2h 30m 2w 1m
        NS  ns1
ns1     A   192.0.2.53
web     CHECK tcp 80
iad     REGION 38.95 -77.45 check=web
        A   198.51.100.10
fra     REGION 50.03 8.57 check=web
        A   198.51.100.20
nrt     REGION 35.76 140.39 check=web
        A   198.51.100.30
api.iad A   198.51.100.11
api.fra A   198.51.100.21
app     GEO map=atlas
api     GEO map=atlas service=api
some    GEO map=atlas fra iad
atlas   MAP default           nearest
        MAP continent=AF      fra iad
        MAP country=ZA        nrt fra iad
        MAP subdivision=US-CA nrt iad
        MAP city=US-TX/Dallas fra
        MAP country=KP        none
        MAP net=10.0.0.0/8    iad
        MAP net=10.1.0.0/16   fra
        MAP net=10.1.2.0/24   nearest
        MAP net=2001:db8::/32 fra
end
place 41.0.0.0/8 country=ZA continent=AF at=-26,28
place 102.0.0.0/8 country=NG continent=AF at=6.5,3.4
place 12.0.0.0/8 country=US subdivision=US-CA continent=NA at=34,-118
place 13.0.0.0/8 country=US subdivision=US-TX city=Dallas continent=NA at=32.8,-96.8
place 14.0.0.0/8 country=US subdivision=US-NY continent=NA at=40.7,-74
place 15.0.0.0/8 country=KP continent=AS at=39,125.7
place 10.0.0.0/8 country=JP continent=AS at=35.65,139.73

query app.gslb.example.com A from=102.1.2.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
  scope 8
query app.gslb.example.com A from=41.1.2.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
query app.gslb.example.com A from=12.1.2.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
query app.gslb.example.com A from=13.1.2.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
query app.gslb.example.com A from=14.1.2.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
# `none`: the name has no address there.
query app.gslb.example.com A from=15.1.2.0/24
  rcode NOERROR aa
  authority gslb.example.com. 60 IN SOA ns1.gslb.example.com. hostmaster.gslb.example.com. 1 7200 1800 1209600 60
  scope 8
# net= beats every place, the longest one wins; scopes are exactly as wide as that is true.
query app.gslb.example.com A from=10.200.0.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
  scope 9
query app.gslb.example.com A from=10.1.99.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
  scope 18
query app.gslb.example.com A from=10.1.2.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 24
query app.gslb.example.com A from=2001:db8:5::/48
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
  scope 32
# A service: the regions that do not have it are left out of every line.
query api.gslb.example.com A from=41.1.2.0/24
  rcode NOERROR aa
  answer api.gslb.example.com. 30 IN A 198.51.100.21
query api.gslb.example.com A from=12.1.2.0/24
  rcode NOERROR aa
  answer api.gslb.example.com. 30 IN A 198.51.100.11
# Targets at the GEO narrow the map to them.
query some.gslb.example.com A from=41.1.2.0/24
  rcode NOERROR aa
  answer some.gslb.example.com. 30 IN A 198.51.100.20
down fra
query app.gslb.example.com A from=102.1.2.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
# The only target of a line is down: nothing of the line is up, so it answers all the same.
query app.gslb.example.com A from=13.1.2.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
# The service's addresses are judged by the region's checks, each on its own.
down api.iad
query api.gslb.example.com A from=12.1.2.0/24
  rcode NOERROR aa
  answer api.gslb.example.com. 30 IN A 198.51.100.11
