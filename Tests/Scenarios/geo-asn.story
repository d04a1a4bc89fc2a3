# MAP asn=: an access network's clients go elsewhere than their country; net= goes before it.
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
app     GEO map=atlas
atlas   MAP default              nearest
        MAP country=US           iad
        MAP city=US-TX/Dallas    iad
        MAP asn=64500            fra
        MAP asn=AS64501          nearest
        MAP asn=64502            none
        MAP net=13.1.0.0/16      nrt
        MAP net=2001:db8:2::/48  iad
end
place 12.0.0.0/6 country=US continent=NA at=34,-118
place 13.0.0.0/8 country=US subdivision=US-TX city=Dallas continent=NA at=32.8,-96.8
place 41.0.0.0/8 country=ZA continent=AF at=-26,28
system 13.0.0.0/9 64500
system 12.4.0.0/14 64501
system 41.128.0.0/9 64502
system 2001:db8::/32 64500

# asn= beats city=, and holds as far as the system's network reaches.
query app.gslb.example.com A from=13.2.3.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
  scope 15
# net= beats asn=, inside of it
query app.gslb.example.com A from=13.1.3.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 16
# Outside of the system the place decides.
query app.gslb.example.com A from=13.200.3.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
# `nearest` is by the client's place: Los Angeles.
query app.gslb.example.com A from=12.5.3.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
  scope 14
query app.gslb.example.com A from=41.200.3.0/24
  rcode NOERROR aa
  authority gslb.example.com. 60 IN SOA ns1.gslb.example.com. hostmaster.gslb.example.com. 1 7200 1800 1209600 60
  scope 9
# Without a place, and in a system all the same.
query app.gslb.example.com A from=2001:db8:5::/48
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
query app.gslb.example.com A from=2001:db8:2::/48
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
  scope 48
# An IPv6 form of an IPv4 address is in the system of that.
query app.gslb.example.com A from=64:ff9b::13.2.3.0/120
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
  scope 111
