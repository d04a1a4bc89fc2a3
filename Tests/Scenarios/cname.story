# CNAMEs are followed, as far as we serve them (RFC 1034 §4.3.2 step 3a).
zone example.com
@     3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
      3600 NS  ns1
ns1   3600 A   192.0.2.53
www   300  CNAME web
web   200  CNAME host
host  100  A   192.0.2.1
out   300  CNAME www.elsewhere.net.
gone  300  CNAME nothing
text  300  CNAME txt
txt   300  TXT "here"
loop1 300  CNAME loop2
loop2 300  CNAME loop1
cut   300  CNAME host.sub
atcut 300  CNAME sub
sub   300  NS  ns.elsewhere.net.
      300  NS  ns.sub
ns.sub 300 A   192.0.2.54
any   300  CNAME x.wild
*.wild 300 A   192.0.2.7
*.self 300 CNAME x.self
*.left 300 CNAME x.right
*.right 300 CNAME x.left
end

query www.example.com A
  rcode NOERROR aa
  answer www.example.com. 300 IN CNAME web.example.com.
  answer web.example.com. 200 IN CNAME host.example.com.
  answer host.example.com. 100 IN A 192.0.2.1
query www.example.com CNAME
  rcode NOERROR aa
  answer www.example.com. 300 IN CNAME web.example.com.
query out.example.com A
  rcode NOERROR aa
  answer out.example.com. 300 IN CNAME www.elsewhere.net.
# RFC 6604 §2.1: the RCODE is that of the last name.
query gone.example.com A
  rcode NXDOMAIN aa
  answer gone.example.com. 300 IN CNAME nothing.example.com.
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query text.example.com A
  rcode NOERROR aa
  answer text.example.com. 300 IN CNAME txt.example.com.
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
# A loop ends after one round; the resolver sees it.
query loop1.example.com A
  rcode NOERROR aa
  answer loop1.example.com. 300 IN CNAME loop2.example.com.
  answer loop2.example.com. 300 IN CNAME loop1.example.com.
# Below a zone cut the resolver goes on by itself; it is told where (RFC 1034 §4.3.2 steps 3a, 3b).
# AA speaks of the first name (RFC 1035 §4.1.1).
query cut.example.com A
  rcode NOERROR aa
  answer cut.example.com. 300 IN CNAME host.sub.example.com.
  authority sub.example.com. 300 IN NS ns.elsewhere.net.
  authority sub.example.com. 300 IN NS ns.sub.example.com.
  additional ns.sub.example.com. 300 IN A 192.0.2.54
# DS at the cut is the parent's to answer (RFC 4035 §3.1.4.1), by whatever name it is reached.
query atcut.example.com DS
  rcode NOERROR aa
  answer atcut.example.com. 300 IN CNAME sub.example.com.
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query any.example.com A
  rcode NOERROR aa
  answer any.example.com. 300 IN CNAME x.wild.example.com.
  answer x.wild.example.com. 300 IN A 192.0.2.7
# A wildcard's CNAME belongs to every name it speaks for: a loop has come round when a name is
# reached twice, not a record.
query y.self.example.com A
  rcode NOERROR aa
  answer y.self.example.com. 300 IN CNAME x.self.example.com.
  answer x.self.example.com. 300 IN CNAME x.self.example.com.
query X.self.example.com A
  rcode NOERROR aa
  answer X.self.example.com. 300 IN CNAME X.self.example.com.  # compressed against the question
query y.left.example.com A
  rcode NOERROR aa
  answer y.left.example.com. 300 IN CNAME x.right.example.com.
  answer x.right.example.com. 300 IN CNAME x.left.example.com.
  answer x.left.example.com. 300 IN CNAME x.right.example.com.

# RRSIG and NSEC stand beside a CNAME (RFC 4035 §2.5): they are answered, all else follows it.
zone example.com
@     3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
      3600 NS  ns1
ns1   3600 A   192.0.2.53
www   300  CNAME ns1
      300  NSEC example.com. CNAME NSEC
end
query www.example.com NSEC
  rcode NOERROR aa
  answer www.example.com. 300 IN NSEC example.com. CNAME NSEC
query www.example.com A
  rcode NOERROR aa
  answer www.example.com. 300 IN CNAME ns1.example.com.
  answer ns1.example.com. 3600 IN A 192.0.2.53
query www.example.com CNAME
  rcode NOERROR aa
  answer www.example.com. 300 IN CNAME ns1.example.com.
query www.example.com ANY
  rcode NOERROR aa
  answer www.example.com. 300 IN CNAME ns1.example.com.
