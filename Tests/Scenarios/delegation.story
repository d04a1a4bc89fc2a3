# RFC 1034 §4.3.2 step 3b: referrals, with glue.
zone example.com
@        3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
         3600 NS  ns1
ns1      3600 A   192.0.2.53
sub      3600 NS  ns.sub
         3600 NS  ns1
         3600 NS  ns.elsewhere.net.
ns.sub   3600 A   192.0.2.54
         3600 AAAA 2001:db8::54
hidden.sub 3600 A 192.0.2.99
end

query sub.example.com A
  rcode NOERROR
  authority sub.example.com. 3600 IN NS ns.sub.example.com.
  authority sub.example.com. 3600 IN NS ns1.example.com.
  authority sub.example.com. 3600 IN NS ns.elsewhere.net.
  additional ns.sub.example.com. 3600 IN A 192.0.2.54
  additional ns.sub.example.com. 3600 IN AAAA 2001:db8::54
  additional ns1.example.com. 3600 IN A 192.0.2.53
# Data below the cut is the child's: what stands here is glue at most.
query hidden.sub.example.com A
  rcode NOERROR
  authority sub.example.com. 3600 IN NS ns.sub.example.com.
  authority sub.example.com. 3600 IN NS ns1.example.com.
  authority sub.example.com. 3600 IN NS ns.elsewhere.net.
  additional ns.sub.example.com. 3600 IN A 192.0.2.54
  additional ns.sub.example.com. 3600 IN AAAA 2001:db8::54
  additional ns1.example.com. 3600 IN A 192.0.2.53
# RFC 4035 §3.1.4.1: DS at the cut is the parent's to answer; there is none.
query sub.example.com DS
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
