# GEO within=, skip= and family=independent.
zone example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
web   CHECK tcp 80
one   REGION 0 10 check=web
      A   192.0.2.1
      AAAA 2001:db8::1
two   REGION 0 -11 check=web
      A   192.0.2.2
three REGION 0 19 check=web
      A   192.0.2.3
      AAAA 2001:db8::3
near  GEO nearest three two one
about GEO nearest three two one within=10%
all   GEO nearest three two one within=100% by=query
every GEO nearest three two one within=100% answers=3
next  GEO nearest three two one skip=1
last  GEO failover one two three skip=2
alone 60/10 GEO nearest three two one family=independent
lists GEO map=atlas three two one within=10%
atlas MAP default nearest
      MAP country=DE two three
end
place 203.0.113.0/24 country=GB at=0,0
place 198.18.0.0/15 country=DE at=0,0
# The nearest is at 10 degrees, the next at 11: 10 % farther.
query near.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer near.example.com. 30 IN A 192.0.2.1
  scope 24
query about.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.2
  scope 24
query all.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.2 192.0.2.3
  scope 24
query every.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer every.example.com. 30 IN A 192.0.2.1
  answer every.example.com. 30 IN A 192.0.2.2
  answer every.example.com. 30 IN A 192.0.2.3
  scope 24
# What a map lists is meant in that order; the hash is of a /24 where it plays a part.
query lists.example.com A from=198.18.0.0/16
  rcode NOERROR aa
  answer lists.example.com. 30 IN A 192.0.2.2
  scope 15
query lists.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.2
  scope 24
# A place that is not known has no equals.
query about.example.com A from=192.0.2.0/24
  rcode NOERROR aa
  answer about.example.com. 30 IN A 192.0.2.3
  scope 9
query next.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer next.example.com. 30 IN A 192.0.2.2
  scope 24
query last.example.com A
  rcode NOERROR aa
  answer last.example.com. 30 IN A 192.0.2.3
# AAAA goes to the nearest that has any.
query alone.example.com AAAA from=203.0.113.0/24
  rcode NOERROR aa
  answer alone.example.com. 60 IN AAAA 2001:db8::1
  scope 24
# One family is dead: the other keeps its target, and its addresses.
down 192.0.2.1
query alone.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer alone.example.com. 10 IN A 192.0.2.2
  scope 24
query alone.example.com AAAA from=203.0.113.0/24
  rcode NOERROR aa
  answer alone.example.com. 10 IN AAAA 2001:db8::1
  scope 24
query near.example.com AAAA from=203.0.113.0/24
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
  scope 24
# Without the best, 11 degrees are the least: 19 are too far.
query about.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer about.example.com. 30 IN A 192.0.2.2
  scope 24
# No more than one is up.
down two
query next.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer next.example.com. 30 IN A 192.0.2.3
  scope 24
query last.example.com A
  rcode NOERROR aa
  answer last.example.com. 30 IN A 192.0.2.3
