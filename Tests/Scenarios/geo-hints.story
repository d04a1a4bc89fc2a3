# SVCB and HTTPS beside GEO: the hints are the addresses of the client's target (RFC 9460 §7.3).
zone gslb.example.com
$TTL 1h
@         SOA   ns1 hostmaster 1 2h 30m 2w 1m
          NS    ns1
ns1       A     192.0.2.53
web       CHECK tcp 80
iad       REGION 38.95 -77.45 check=web
          A     198.51.100.10
          A     198.51.100.11
          AAAA  2001:db8:1::10
fra       REGION 50.03 8.57   check=web
          A     198.51.100.20
app       30    GEO nearest iad fra
          60    HTTPS 1 . alpn=h2,h3
low       90    GEO nearest iad fra
          20    HTTPS 1 . port=8443
every     30    GEO nearest iad fra
          60    SVCB 1 every alpn=h2 port=853 ech=AAAA dohpath=/q{?dns}
          60    SVCB 2 EVERY.gslb.example.com. no-default-alpn mandatory=alpn alpn=dot
          60    SVCB 3 other.example.net. alpn=h2
kept      30    GEO nearest iad fra
          60    HTTPS 1 . alpn=h2 ipv4hint=192.0.2.99
alias     30    GEO nearest iad fra
          60    HTTPS 0 other.example.net.
www       CNAME app
*.wild    30    GEO nearest iad fra
          60    HTTPS 1 .
closed    30    GEO map=empty iad
          60    HTTPS 1 . alpn=h2
empty     MAP   default none
          MAP   country=US iad
apart     30    GEO nearest iad fra family=independent
          60    HTTPS 1 .
both      30    GEO nearest iad fra answers=2
          60    HTTPS 1 .
turns     30    GEO round-robin iad fra
          60    HTTPS 1 .
nested    20    GEO failover app iad
          60    HTTPS 1 .
end
place 203.0.113.0/24 country=US continent=NA at=39,-77
place 198.51.100.0/24 country=DE continent=EU at=50,8

query app.gslb.example.com HTTPS from=203.0.113.0/25
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN HTTPS 1 . alpn="h2,h3" ipv4hint=198.51.100.10,198.51.100.11 ipv6hint=2001:db8:1::10
  scope 5
# A family without addresses has no hint.
query app.gslb.example.com HTTPS from=198.51.100.0/25
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN HTTPS 1 . alpn="h2,h3" ipv4hint=198.51.100.20
  scope 24
# The lesser TTL counts.
query low.gslb.example.com HTTPS from=198.51.100.0/25
  rcode NOERROR aa
  answer low.gslb.example.com. 20 IN HTTPS 1 . port=8443 ipv4hint=198.51.100.20
# Keys stay in ascending order, ech between the two; another target's record is as written.
query every.gslb.example.com SVCB from=203.0.113.0/24
  rcode NOERROR aa
  answer every.gslb.example.com. 30 IN SVCB 1 every.gslb.example.com. alpn="h2" port=853 ipv4hint=198.51.100.10,198.51.100.11 ech=AAAA ipv6hint=2001:db8:1::10 dohpath="/q{?dns}"
  answer every.gslb.example.com. 30 IN SVCB 2 EVERY.gslb.example.com. mandatory=alpn alpn="dot" no-default-alpn ipv4hint=198.51.100.10,198.51.100.11 ipv6hint=2001:db8:1::10
  answer every.gslb.example.com. 30 IN SVCB 3 other.example.net. alpn="h2"
# Hints that are written stay, for everyone.
query kept.gslb.example.com HTTPS from=203.0.113.0/24
  rcode NOERROR aa
  answer kept.gslb.example.com. 60 IN HTTPS 1 . alpn="h2" ipv4hint=192.0.2.99
  scope 0
query alias.gslb.example.com HTTPS from=203.0.113.0/24
  rcode NOERROR aa
  answer alias.gslb.example.com. 60 IN HTTPS 0 other.example.net.
  scope 0
# Through a CNAME, and a wildcard.
query www.gslb.example.com HTTPS from=198.51.100.0/24
  rcode NOERROR aa
  answer www.gslb.example.com. 3600 IN CNAME app.gslb.example.com.
  answer app.gslb.example.com. 30 IN HTTPS 1 . alpn="h2,h3" ipv4hint=198.51.100.20
  scope 24
query any.wild.gslb.example.com HTTPS from=198.51.100.0/24
  rcode NOERROR aa
  answer any.wild.gslb.example.com. 30 IN HTTPS 1 . ipv4hint=198.51.100.20
# No address there: the record, and that it is so for this place only.
query closed.gslb.example.com HTTPS from=198.51.100.0/24
  rcode NOERROR aa
  answer closed.gslb.example.com. 30 IN HTTPS 1 . alpn="h2"
  scope 11
# Another type than these has no part in it.
query app.gslb.example.com TXT from=198.51.100.0/24
  rcode NOERROR aa
  authority gslb.example.com. 60 IN SOA ns1.gslb.example.com. hostmaster.gslb.example.com. 1 7200 1800 1209600 60
  scope 0
query app.gslb.example.com SVCB from=198.51.100.0/24
  rcode NOERROR aa
  authority gslb.example.com. 60 IN SOA ns1.gslb.example.com. hostmaster.gslb.example.com. 1 7200 1800 1209600 60
query both.gslb.example.com HTTPS from=198.51.100.0/24
  rcode NOERROR aa
  answer both.gslb.example.com. 30 IN HTTPS 1 . ipv4hint=198.51.100.20,198.51.100.10,198.51.100.11 ipv6hint=2001:db8:1::10
query nested.gslb.example.com HTTPS from=198.51.100.0/24
  rcode NOERROR aa
  answer nested.gslb.example.com. 20 IN HTTPS 1 . ipv4hint=198.51.100.20
# Decided apart, IPv6 clients in Frankfurt go where there is any.
query apart.gslb.example.com HTTPS from=198.51.100.0/24
  rcode NOERROR aa
  answer apart.gslb.example.com. 30 IN HTTPS 1 . ipv4hint=198.51.100.20 ipv6hint=2001:db8:1::10
# Frankfurt is down.
down fra
query app.gslb.example.com HTTPS from=198.51.100.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN HTTPS 1 . alpn="h2,h3" ipv4hint=198.51.100.10,198.51.100.11 ipv6hint=2001:db8:1::10
up fra
# One address of two is down.
down 198.51.100.10
query app.gslb.example.com HTTPS from=203.0.113.0/24
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN HTTPS 1 . alpn="h2,h3" ipv4hint=198.51.100.11 ipv6hint=2001:db8:1::10
# Without EDNS as with it.
query app.gslb.example.com HTTPS resolver=198.51.100.9 edns=none
  rcode NOERROR aa
  answer app.gslb.example.com. 30 IN HTTPS 1 . alpn="h2,h3" ipv4hint=198.51.100.20
