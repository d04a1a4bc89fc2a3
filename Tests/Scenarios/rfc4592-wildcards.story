# RFC 4592 §2.2.1, the zone of its examples.
zone example
@                 3600 SOA ns.example.com. hostmaster 1 7200 1800 1209600 60
@                 3600 NS  ns.example.com.
@                 3600 NS  ns.example.net.
*                 3600 TXT "this is a wildcard"
*                 3600 MX  10 host1
sub.*             3600 TXT "this is not a wildcard"
host1             3600 A   192.0.2.1
_ssh._tcp.host1   3600 SRV 0 0 22 host1
_ssh._tcp.host2   3600 SRV 0 0 22 host1
subdel            3600 NS  ns.example.com.
subdel            3600 NS  ns.example.net.
end

query host3.example MX
  rcode NOERROR aa
  answer host3.example. 3600 IN MX 10 host1.example.
# No RR of the type at the source of synthesis: NODATA.
query host3.example A
  rcode NOERROR aa
  authority example. 60 IN SOA ns.example.com. hostmaster.example. 1 7200 1800 1209600 60
query foo.bar.example TXT
  rcode NOERROR aa
  answer foo.bar.example. 3600 IN TXT "this is a wildcard"
# The name exists: no synthesis.
query host1.example MX
  rcode NOERROR aa
  authority example. 60 IN SOA ns.example.com. hostmaster.example. 1 7200 1800 1209600 60
# The query name is the wildcard's child, an existing name.
query sub.*.example MX
  rcode NOERROR aa
  authority example. 60 IN SOA ns.example.com. hostmaster.example. 1 7200 1800 1209600 60
# The closest encloser is _tcp.host1: there is no wildcard below it.
query _telnet._tcp.host1.example SRV
  rcode NXDOMAIN aa
  authority example. 60 IN SOA ns.example.com. hostmaster.example. 1 7200 1800 1209600 60
# At and below a delegation there is no synthesis.
query host.subdel.example A
  rcode NOERROR
  authority subdel.example. 3600 IN NS ns.example.com.
  authority subdel.example. 3600 IN NS ns.example.net.
# The closest encloser is *.example itself; *.*.example does not exist.
query ghost.*.example MX
  rcode NXDOMAIN aa
  authority example. 60 IN SOA ns.example.com. hostmaster.example. 1 7200 1800 1209600 60
# Asked for by its own name, the wildcard is an ordinary name.
query *.example TXT
  rcode NOERROR aa
  answer *.example. 3600 IN TXT "this is a wildcard"
# Deeper than any name of the zone: the closest encloser is far above.
query a.b.c.d.e.f.g.h.i.j.k.l.example MX
  rcode NOERROR aa
  answer a.b.c.d.e.f.g.h.i.j.k.l.example. 3600 IN MX 10 host1.example.
query a.b.c.d.e.f.g.h.i.j.k.l.host1.example MX
  rcode NXDOMAIN aa
  authority example. 60 IN SOA ns.example.com. hostmaster.example. 1 7200 1800 1209600 60
# The zone's name is longer than that.
query . MX
  rcode REFUSED
