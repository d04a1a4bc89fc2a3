# GEO hash, random, round-robin, all; several answers.
zone example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
web   CHECK tcp 80
one   REGION 50 8 check=web
      A   192.0.2.1
      AAAA 2001:db8::1
two   REGION 40 -70 check=web
      A   192.0.2.2
      A   192.0.2.22
three REGION 35 140 check=web
      A   192.0.2.3
same  A   192.0.2.3
hash  GEO hash one:3 three
dice  GEO random one three
turns GEO round-robin one two three
all   GEO all one two three same backup=spare
spare A   192.0.2.99
both  GEO nearest one two three answers=2
list  GEO failover three same one answers=2 last-resort=all
next  GEO round-robin one two three answers=2
up    GEO failover all one
end
place 133.11.0.0/16 country=JP at=35.65,139.73
# The hash holds for the client's prefix.
query hash.example.com A from=133.11.0.0/24
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.3
  scope 24
query dice.example.com A from=133.11.0.0/24
  rcode NOERROR aa
  scope 0
  one-of 192.0.2.1 192.0.2.3
# Every worker begins with the first.
query turns.example.com A from=133.11.0.0/24
  rcode NOERROR aa
  answer turns.example.com. 30 IN A 192.0.2.1
  scope 0
# An address that two targets have is answered once.
query all.example.com A from=133.11.0.0/24
  rcode NOERROR aa
  answer all.example.com. 30 IN A 192.0.2.1
  answer all.example.com. 30 IN A 192.0.2.2
  answer all.example.com. 30 IN A 192.0.2.22
  answer all.example.com. 30 IN A 192.0.2.3
  scope 0
query all.example.com AAAA
  rcode NOERROR aa
  answer all.example.com. 30 IN AAAA 2001:db8::1
# The nearest and the next: the scope is that of the order.
query both.example.com A from=133.11.0.0/24
  rcode NOERROR aa
  answer both.example.com. 30 IN A 192.0.2.3
  answer both.example.com. 30 IN A 192.0.2.1
  scope 16
query list.example.com A
  rcode NOERROR aa
  answer list.example.com. 30 IN A 192.0.2.3
query next.example.com A
  rcode NOERROR aa
  answer next.example.com. 30 IN A 192.0.2.1
  answer next.example.com. 30 IN A 192.0.2.2
  answer next.example.com. 30 IN A 192.0.2.22
query up.example.com A
  rcode NOERROR aa
  answer up.example.com. 30 IN A 192.0.2.1
  answer up.example.com. 30 IN A 192.0.2.2
  answer up.example.com. 30 IN A 192.0.2.22
  answer up.example.com. 30 IN A 192.0.2.3
# What is down is left out.
down one
down 192.0.2.22
query turns.example.com A
  rcode NOERROR aa
  answer turns.example.com. 30 IN A 192.0.2.2
query all.example.com A
  rcode NOERROR aa
  answer all.example.com. 30 IN A 192.0.2.2
  answer all.example.com. 30 IN A 192.0.2.3
query both.example.com A from=133.11.0.0/24
  rcode NOERROR aa
  answer both.example.com. 30 IN A 192.0.2.3
  answer both.example.com. 30 IN A 192.0.2.2
  scope 16
