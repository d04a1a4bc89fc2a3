# GEO nearest: the nearest region that is up, for A and AAAA alike.
zone gslb.example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
web   CHECK tcp 80
iad   REGION 38.95 -77.45 check=web
      A    198.51.100.10
      AAAA 2001:db8:1::10
fra   REGION 50.03 8.57 check=web
      A    198.51.100.20
      A    198.51.100.21
      AAAA 2001:db8:2::10
nrt   REGION 35.76 140.39 check=web
      A    198.51.100.30
app   GEO  nearest iad fra nrt
www   CNAME app
*.tenants GEO nearest fra iad
txt   GEO  nearest iad fra
      TXT  "beside GEO"
end
place 133.11.0.0/16 country=JP continent=AS at=35.65,139.73
place 141.2.0.0/16 country=DE continent=EU at=50.1,8.7
place 200.144.0.0/16 country=BR continent=SA at=-23.5,-46.6
place 2001:200::/32 country=JP continent=AS at=35.65,139.73
place 203.0.113.0/24 country=ZZ

query app.gslb.example.com A from=133.11.0.1/32
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 16
query app.gslb.example.com A from=141.2.3.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
  answer app.gslb.example.com. 30 IN A 198.51.100.21
  scope 16
query app.gslb.example.com AAAA from=141.2.3.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN AAAA 2001:db8:2::10
  scope 16
query app.gslb.example.com A from=200.144.1.1/32
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
query app.gslb.example.com A from=2001:200::/56
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 32
# An IPv6 form that carries an IPv4 address is that address; the scope counts from the front.
query app.gslb.example.com A from=2002:850b:0001::/48
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 32
# No client subnet: the resolver's address decides.
query app.gslb.example.com A resolver=133.11.0.53
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
# A source prefix of 0: the client does not want to be placed; so does its scope say.
query app.gslb.example.com A from=0.0.0.0/0 resolver=141.2.0.53
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
  answer app.gslb.example.com. 30 IN A 198.51.100.21
  scope 0
# A place that is not in the database, or has no coordinates: the order as written.
query app.gslb.example.com A from=192.0.2.1/32
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
query app.gslb.example.com A from=203.0.113.1/32
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
# A and AAAA name the same target: Tokyo has no AAAA, so there is none.
query app.gslb.example.com AAAA from=133.11.0.1/32
  rcode NOERROR aa
  authority gslb.example.com. 60 IN SOA ns1.gslb.example.com. hostmaster.gslb.example.com. 1 7200 1800 1209600 60
  scope 16
# Other types at the owner are ordinary data.
query txt.gslb.example.com TXT from=133.11.0.1/32
  rcode NOERROR aa
  answer txt.gslb.example.com. 3600 IN TXT "beside GEO"
  scope 0
query app.gslb.example.com MX from=133.11.0.1/32
  rcode NOERROR aa
  authority gslb.example.com. 60 IN SOA ns1.gslb.example.com. hostmaster.gslb.example.com. 1 7200 1800 1209600 60
  scope 0
# By CNAME, and by wildcard.
query www.gslb.example.com A from=133.11.0.1/32
  rcode NOERROR aa
  answer www.gslb.example.com. 3600 IN CNAME app.gslb.example.com.
  answer app.gslb.example.com. 30 IN A 198.51.100.30
  scope 16
query a.b.tenants.gslb.example.com A from=133.11.0.1/32
  rcode NOERROR aa
  answer a.b.tenants.gslb.example.com. 30 IN A 198.51.100.20
  answer a.b.tenants.gslb.example.com. 30 IN A 198.51.100.21
# A region is an ordinary name too.
query nrt.gslb.example.com A from=141.2.3.0/24
  rcode NOERROR aa
  answer nrt.gslb.example.com. 3600 IN A 198.51.100.30
  scope 0
# The records that are not answers themselves leave a name behind.
query web.gslb.example.com A
  rcode NOERROR aa
  authority gslb.example.com. 60 IN SOA ns1.gslb.example.com. hostmaster.gslb.example.com. 1 7200 1800 1209600 60

# Tokyo fails: at the next query its clients go to the next nearest that is up.
down nrt
query app.gslb.example.com A from=133.11.0.1/32
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.20
  answer app.gslb.example.com. 30 IN A 198.51.100.21
  scope 16
# One of Frankfurt's two addresses fails: the other one answers alone.
down 198.51.100.20
query app.gslb.example.com A from=141.2.3.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.21
# Frankfurt's only IPv6 front door fails: the region is no good to clients that have only IPv6.
up 198.51.100.20
down 2001:db8:2::10
query app.gslb.example.com A from=141.2.3.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.10
up 2001:db8:2::10
# All fail: everything counts as up (fail open).
down fra
down iad
query app.gslb.example.com A from=133.11.0.1/32
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
up nrt
query app.gslb.example.com A from=141.2.3.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN A 198.51.100.30
