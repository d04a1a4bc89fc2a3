# Records of one set may stand apart in the file, and owners in upper case: stored once, in one place.
zone example.com
@       3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
        3600 NS  ns1
ns1     3600 A   192.0.2.53
a.b     300  A   192.0.2.1
WWW.a.b 300  A   192.0.2.7
a.b     300  TXT "between"
a.b     300  A   192.0.2.2
        300  A   192.0.2.3
A.B     300  A   192.0.2.4
www.A.b 300  A   192.0.2.8
a.b     300  AAAA 2001:db8::1
end

query a.b.example.com A
  rcode NOERROR aa
  answer a.b.example.com. 300 IN A 192.0.2.1
  answer a.b.example.com. 300 IN A 192.0.2.2
  answer a.b.example.com. 300 IN A 192.0.2.3
  answer a.b.example.com. 300 IN A 192.0.2.4
query www.a.b.example.com A
  rcode NOERROR aa
  answer www.a.b.example.com. 300 IN A 192.0.2.7
  answer www.a.b.example.com. 300 IN A 192.0.2.8
query a.b.example.com AAAA
  rcode NOERROR aa
  answer a.b.example.com. 300 IN AAAA 2001:db8::1
query a.b.example.com TXT
  rcode NOERROR aa
  answer a.b.example.com. 300 IN TXT "between"
# An empty non-terminal.
query b.example.com A
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
