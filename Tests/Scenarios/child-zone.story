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
