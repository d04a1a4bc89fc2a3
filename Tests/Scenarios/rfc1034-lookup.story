# RFC 1034 §4.3.2: what a name server does with a question.
zone example.com
@       3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
        3600 NS  ns1
        3600 NS  ns.elsewhere.net.
ns1     3600 A   192.0.2.53
www     300  A   192.0.2.1
        300  A   192.0.2.2
        300  AAAA 2001:db8::1
mail    300  MX  10 www
        300  MX  20 mx.elsewhere.net.
text    300  TXT "one" "two words"
_sip._tcp 300 SRV 1 2 5060 www
pointer 300  PTR www
@       300  CAA 0 issue "ca.example.net"
odd     300  TYPE65280 \# 4 0a000001
end

# Step 3a: the name is there.
query www.example.com A
  rcode NOERROR aa
  answer www.example.com. 300 IN A 192.0.2.1
  answer www.example.com. 300 IN A 192.0.2.2
query www.example.com AAAA
  rcode NOERROR aa
  answer www.example.com. 300 IN AAAA 2001:db8::1
query mail.example.com MX
  rcode NOERROR aa
  answer mail.example.com. 300 IN MX 10 www.example.com.
  answer mail.example.com. 300 IN MX 20 mx.elsewhere.net.
query text.example.com TXT
  rcode NOERROR aa
  answer text.example.com. 300 IN TXT "one" "two words"
query _sip._tcp.example.com SRV
  rcode NOERROR aa
  answer _sip._tcp.example.com. 300 IN SRV 1 2 5060 www.example.com.
query pointer.example.com PTR
  rcode NOERROR aa
  answer pointer.example.com. 300 IN PTR www.example.com.
query example.com CAA
  rcode NOERROR aa
  answer example.com. 300 IN CAA 0 issue "ca.example.net"
query odd.example.com TYPE65280
  rcode NOERROR aa
  answer odd.example.com. 300 IN TYPE65280 \# 4 0a000001
query example.com SOA
  rcode NOERROR aa
  answer example.com. 3600 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query example.com NS
  rcode NOERROR aa
  answer example.com. 3600 IN NS ns1.example.com.
  answer example.com. 3600 IN NS ns.elsewhere.net.

# RFC 2308 §2.2, §3: NODATA carries the SOA with the lesser of its TTL and MINIMUM.
query www.example.com MX
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
# An empty non-terminal exists (RFC 8020).
query _tcp.example.com A
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
# RFC 2308 §2.1: NXDOMAIN.
query nothing.example.com A
  rcode NXDOMAIN aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query deep.below.www.example.com A
  rcode NXDOMAIN aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
# Outside every zone.
query example.org A
  rcode REFUSED
query com A
  rcode REFUSED
query . NS
  rcode REFUSED
# Case as asked: the player compares the question byte for byte (RFC 4343 §4.1).
query WwW.ExAmPlE.cOm AAAA
  rcode NOERROR aa
  answer WwW.ExAmPlE.cOm. 300 IN AAAA 2001:db8::1
# RFC 8482 §4.1: ANY gets one RRset.
query www.example.com ANY
  rcode NOERROR aa
  answer www.example.com. 300 IN A 192.0.2.1
  answer www.example.com. 300 IN A 192.0.2.2
# Without EDNS there is no OPT in the response.
query www.example.com AAAA edns=none
  rcode NOERROR aa
  answer www.example.com. 300 IN AAAA 2001:db8::1
# The types of the zone language are refused, as is a transfer: who may have the one may have both.
query www.example.com TYPE65403
  rcode REFUSED
# Zone transfers and other questions of their kind.
query example.com TYPE252
  rcode REFUSED
