# GEO fastest: measured times where there are any, else distance.
zone example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
web   CHECK tcp 80
one   REGION 0 10 check=web
      A   192.0.2.1
two   REGION 0 -20 check=web
      A   192.0.2.2
three REGION 0 60 check=web
      A   192.0.2.3
fast  GEO fastest three two one rtt=times.csv
about GEO fastest three two one rtt=times.csv within=20%
guess GEO fastest three two one
end
file times.csv
# prefix, target, milliseconds, samples
203.0.113.0/24, one, 90, 3
203.0.113.0/24, one, 50
203.0.113.0/24, two, 70, 12
203.0.113.128/25, three, 5
198.51.100.0/24, one, 900
2001:db8::/32, two, 1.5
end
place 0.0.0.0/0 country=GB at=0,0
# Both are measured, and no others are: 80 ms from one, 70 from two, 133 are guessed for three.
query fast.example.com A from=203.0.113.0/25
  rcode NOERROR aa
  answer fast.example.com. 30 IN A 192.0.2.2
  scope 25
# The mean of one is 80, weighed by its samples: within 20 % of 70.
query about.example.com A from=203.0.113.0/25
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.2
  scope 25
# What the longer prefix does not tell it has from the shorter one.
query fast.example.com A from=203.0.113.128/25
  rcode NOERROR aa
  answer fast.example.com. 30 IN A 192.0.2.3
  scope 25
down three
query fast.example.com A from=203.0.113.128/25
  rcode NOERROR aa
  answer fast.example.com. 30 IN A 192.0.2.2
  scope 25
# The nearest is measured as slow; the next is guessed at 44 ms.
query fast.example.com A from=198.51.100.0/24
  rcode NOERROR aa
  answer fast.example.com. 30 IN A 192.0.2.2
  scope 24
# Nothing is measured: the nearest.
query fast.example.com A from=192.0.2.0/24
  rcode NOERROR aa
  answer fast.example.com. 30 IN A 192.0.2.1
  scope 6
query guess.example.com A from=198.51.100.0/24
  rcode NOERROR aa
  answer guess.example.com. 30 IN A 192.0.2.1
  scope 0
# The place is not known, and one is measured.
query fast.example.com A from=2001:db8::/48
  rcode NOERROR aa
  answer fast.example.com. 30 IN A 192.0.2.2
  scope 32
