# GEO least-connections, least-response-time, two-choices.
zone example.com
$TTL 1h
@     SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS  ns1
ns1   A   192.0.2.53
web   CHECK load /load
one   REGION 50 8 check=web
      A   192.0.2.1
two   REGION 40 -70 check=web
      A   192.0.2.2
three REGION 35 140 check=web
      A   192.0.2.3
conn  GEO least-connections one two three
big   GEO least-connections one:4 two three
kept  GEO least-connections one two three by=client
time  GEO least-response-time one two three
pair  GEO two-choices one three
end
# Nothing is known: by weight.
query conn.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  one-of 192.0.2.1 192.0.2.2 192.0.2.3
  scope 0
connections one 300
connections two 100
connections three 200
query conn.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  answer conn.example.com. 30 IN A 192.0.2.2
  scope 0
query big.example.com A
  rcode NOERROR aa
  answer big.example.com. 30 IN A 192.0.2.1
query pair.example.com A
  rcode NOERROR aa
  answer pair.example.com. 30 IN A 192.0.2.3
# Within a quarter of the least: both get clients.
connections three 120
query conn.example.com A
  rcode NOERROR aa
  one-of 192.0.2.2 192.0.2.3
query kept.example.com A from=203.0.113.0/24
  rcode NOERROR aa
  one-of 192.0.2.2 192.0.2.3
  scope 24
# The least loaded is down.
down two
query conn.example.com A
  rcode NOERROR aa
  answer conn.example.com. 30 IN A 192.0.2.3
up two
milliseconds one 20
milliseconds two 200
query time.example.com A
  rcode NOERROR aa
  answer time.example.com. 30 IN A 192.0.2.1
