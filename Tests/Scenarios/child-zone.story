# Parent and child are both served: the child answers for its own names.
zone example.com
@     3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
      3600 NS  ns1
ns1   3600 A   192.0.2.53
sub   3600 NS  ns.sub
ns.sub 3600 A  192.0.2.54
end
zone sub.example.com
@     3600 SOA ns hostmaster 7 7200 1800 1209600 60
      3600 NS  ns
ns    3600 A   192.0.2.55
end
query ns.sub.example.com A
  rcode NOERROR aa
  answer ns.sub.example.com. 3600 IN A 192.0.2.55
query x.sub.example.com A
  rcode NXDOMAIN aa
  authority sub.example.com. 60 IN SOA ns.sub.example.com. hostmaster.sub.example.com. 7 7200 1800 1209600 60
query ns1.example.com A
  rcode NOERROR aa
  answer ns1.example.com. 3600 IN A 192.0.2.53

# DS is the parent's to answer, at the apex of a zone that is served beside it (RFC 4035 §3.1.4.1).
zone example.com
@     3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
      3600 NS  ns1
ns1   3600 A   192.0.2.53
sub   3600 NS  ns.sub
      600  DS  1 8 1 00112233445566778899aabbccddeeff00112233
ns.sub 3600 A  192.0.2.54
bare  3600 NS  ns.bare
cut   3600 NS  ns.elsewhere.net.
a.ent 3600 TXT "under an empty non-terminal of the child"
www   300  CNAME host.sub
ds    300  CNAME sub
gone  300  CNAME nothing.sub
end
zone sub.example.com
@     3600 SOA ns hostmaster 7 7200 1800 1209600 60
      3600 NS  ns
ns    3600 A   192.0.2.55
host  300  A   192.0.2.56
up    300  CNAME ns1.example.com.
end
zone bare.example.com
@     3600 SOA ns hostmaster 8 7200 1800 1209600 60
      3600 NS  ns
ns    3600 A   192.0.2.57
end
# Not delegated to.
zone alone.example.com
@     3600 SOA ns hostmaster 9 7200 1800 1209600 60
      3600 NS  ns
ns    3600 A   192.0.2.58
end
# Below a cut, and at what is an empty non-terminal of the parent.
zone x.cut.example.com
@     3600 SOA ns hostmaster 10 7200 1800 1209600 60
      3600 NS  ns
ns    3600 A   192.0.2.59
end
zone ent.example.com
@     3600 SOA ns hostmaster 11 7200 1800 1209600 60
      3600 NS  ns
ns    3600 A   192.0.2.60
end
query sub.example.com DS
  rcode NOERROR aa
  answer sub.example.com. 600 IN DS 1 8 1 00112233445566778899aabbccddeeff00112233
query ds.example.com DS
  rcode NOERROR aa
  answer ds.example.com. 300 IN CNAME sub.example.com.
  answer sub.example.com. 600 IN DS 1 8 1 00112233445566778899aabbccddeeff00112233
query bare.example.com DS
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query alone.example.com DS
  rcode NXDOMAIN aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query x.cut.example.com DS
  rcode NOERROR
  authority cut.example.com. 3600 IN NS ns.elsewhere.net.
query ent.example.com DS
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
# No zone above this one is served.
query example.com DS
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
# Every other type is the child's.
query sub.example.com NS
  rcode NOERROR aa
  answer sub.example.com. 3600 IN NS ns.sub.example.com.

# A CNAME is followed from zone to zone: "go back to step 1" (RFC 1034 §4.3.2 step 3a).
query www.example.com A
  rcode NOERROR aa
  answer www.example.com. 300 IN CNAME host.sub.example.com.
  answer host.sub.example.com. 300 IN A 192.0.2.56
query up.sub.example.com A
  rcode NOERROR aa
  answer up.sub.example.com. 300 IN CNAME ns1.example.com.
  answer ns1.example.com. 3600 IN A 192.0.2.53
query gone.example.com A
  rcode NXDOMAIN aa
  answer gone.example.com. 300 IN CNAME nothing.sub.example.com.
  authority sub.example.com. 60 IN SOA ns.sub.example.com. hostmaster.sub.example.com. 7 7200 1800 1209600 60

# Names of the zones are separate: the child that is not delegated makes no empty non-terminal of
# its parent, so the wildcard speaks for names beside it (RFC 4592 §3.3.1).
zone example.com
@     3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
      3600 NS  ns1
ns1   3600 A   192.0.2.53
*     300  TXT "of the parent"
end
zone child.mid.example.com
@     3600 SOA ns hostmaster 1 7200 1800 1209600 60
      3600 NS  ns
ns    3600 A   192.0.2.54
end
query mid.example.com TXT
  rcode NOERROR aa
  answer mid.example.com. 300 IN TXT "of the parent"
query x.mid.example.com TXT
  rcode NOERROR aa
  answer x.mid.example.com. 300 IN TXT "of the parent"
query child.mid.example.com DS
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query x.child.mid.example.com TXT
  rcode NXDOMAIN aa
  authority child.mid.example.com. 60 IN SOA ns.child.mid.example.com. hostmaster.child.mid.example.com. 1 7200 1800 1209600 60
