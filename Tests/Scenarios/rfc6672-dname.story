# DNAME: a whole subtree stands for another (RFC 6672).
zone example.com
@      3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
       3600 NS  ns1
ns1    3600 A   192.0.2.53
old    300  DNAME new
       300  TXT "at the owner itself"
       300  A   192.0.2.1
x.old  300  A   192.0.2.66
new    300  TXT "at the target itself"
www.new 200 A   192.0.2.2
alias.new 200 CNAME www.old
*.wild.new 200 A 192.0.2.3
sub.new 300 NS ns.elsewhere.net.
out    300  DNAME example.net.
*.up   300  A   192.0.2.4
up     300  DNAME target
loop   300  DNAME loop
round1 300  DNAME round2
round2 300  DNAME Round1
chain1 300  DNAME chain2
chain2 300  DNAME new
to     300  CNAME www.old
away   300  CNAME www.out
long   300  DNAME a-rather-long-label-of-more-than-thirty-bytes.example.net.
child  300  NS  ns.elsewhere.net.
self   300  DNAME example.com.
*.wild 300  DNAME example.com.
mixed  300  DNAME mixed2
x.mixed2 200 CNAME x.mixed
y.mixed2 200 CNAME x.mixed
end
zone example.info
@      3600 SOA ns1.example.com. hostmaster 1 7200 1800 1209600 60
       3600 NS  ns1.example.com.
deeper 300  DNAME a.deeper
0      300  CNAME 1
1      300  CNAME 2
2      300  CNAME 3
3      300  CNAME 4
4      300  CNAME x.deeper
end
zone example.org
@      3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
       3600 NS  ns1
ns1    3600 A   192.0.2.53
       3600 AAAA 2001:db8::53
@      3600 DNAME example.com.
end

# A DNAME redirects the names below it, and not its own (RFC 6672 §2.3).
query old.example.com TXT
  rcode NOERROR aa
  answer old.example.com. 300 IN TXT "at the owner itself"
query old.example.com DNAME
  rcode NOERROR aa
  answer old.example.com. 300 IN DNAME new.example.com.
query old.example.com MX
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60

# The CNAME is synthesized with the TTL of the DNAME (RFC 6672 §3.1), and the answer goes on.
query www.old.example.com A
  rcode NOERROR aa
  answer old.example.com. 300 IN DNAME new.example.com.
  answer www.old.example.com. 300 IN CNAME www.new.example.com.
  answer www.new.example.com. 200 IN A 192.0.2.2
query www.old.example.com CNAME
  rcode NOERROR aa
  answer old.example.com. 300 IN DNAME new.example.com.
  answer www.old.example.com. 300 IN CNAME www.new.example.com.
query www.old.example.com AAAA
  rcode NOERROR aa
  answer old.example.com. 300 IN DNAME new.example.com.
  answer www.old.example.com. 300 IN CNAME www.new.example.com.
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60

# The RCODE speaks of the last name (RFC 6604 §2.1); a wildcard is found behind it too.
query a.b.old.example.com A
  rcode NXDOMAIN aa
  answer old.example.com. 300 IN DNAME new.example.com.
  answer a.b.old.example.com. 300 IN CNAME a.b.new.example.com.
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query a.wild.old.example.com A
  rcode NOERROR aa
  answer old.example.com. 300 IN DNAME new.example.com.
  answer a.wild.old.example.com. 300 IN CNAME a.wild.new.example.com.
  answer a.wild.new.example.com. 200 IN A 192.0.2.3

# Names below the owner are never answered, wildcards included (RFC 6672 §2.4).
query x.old.example.com A
  rcode NXDOMAIN aa
  answer old.example.com. 300 IN DNAME new.example.com.
  answer x.old.example.com. 300 IN CNAME x.new.example.com.
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
query a.up.example.com A
  rcode NXDOMAIN aa
  answer up.example.com. 300 IN DNAME target.example.com.
  answer a.up.example.com. 300 IN CNAME a.target.example.com.
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60

# CNAMEs before and behind it, and a DNAME that comes by twice is given once.
query to.example.com A
  rcode NOERROR aa
  answer to.example.com. 300 IN CNAME www.old.example.com.
  answer old.example.com. 300 IN DNAME new.example.com.
  answer www.old.example.com. 300 IN CNAME www.new.example.com.
  answer www.new.example.com. 200 IN A 192.0.2.2
query alias.old.example.com A
  rcode NOERROR aa
  answer old.example.com. 300 IN DNAME new.example.com.
  answer alias.old.example.com. 300 IN CNAME alias.new.example.com.
  answer alias.new.example.com. 200 IN CNAME www.old.example.com.
  answer www.old.example.com. 300 IN CNAME www.new.example.com.
  answer www.new.example.com. 200 IN A 192.0.2.2
query www.chain1.example.com A
  rcode NOERROR aa
  answer chain1.example.com. 300 IN DNAME chain2.example.com.
  answer www.chain1.example.com. 300 IN CNAME www.chain2.example.com.
  answer chain2.example.com. 300 IN DNAME new.example.com.
  answer www.chain2.example.com. 300 IN CNAME www.new.example.com.
  answer www.new.example.com. 200 IN A 192.0.2.2

# Round in a circle: the chain says so, each step once.
query x.loop.example.com A
  rcode NOERROR aa
  answer loop.example.com. 300 IN DNAME loop.example.com.
  answer x.loop.example.com. 300 IN CNAME x.loop.example.com.
query x.round1.example.com A
  rcode NOERROR aa
  answer round1.example.com. 300 IN DNAME round2.example.com.
  answer x.round1.example.com. 300 IN CNAME x.round2.example.com.
  answer round2.example.com. 300 IN DNAME Round1.example.com.
  answer x.round2.example.com. 300 IN CNAME x.round1.example.com.

# CNAME and DNAME by turns: each name has its CNAME once.
query x.mixed.example.com A
  rcode NOERROR aa
  answer mixed.example.com. 300 IN DNAME mixed2.example.com.
  answer x.mixed.example.com. 300 IN CNAME x.mixed2.example.com.
  answer x.mixed2.example.com. 200 IN CNAME x.mixed.example.com.
query y.mixed.example.com A
  rcode NOERROR aa
  answer mixed.example.com. 300 IN DNAME mixed2.example.com.
  answer y.mixed.example.com. 300 IN CNAME y.mixed2.example.com.
  answer y.mixed2.example.com. 200 IN CNAME x.mixed.example.com.
  answer x.mixed.example.com. 300 IN CNAME x.mixed2.example.com.
  answer x.mixed2.example.com. 200 IN CNAME x.mixed.example.com.

# A DNAME that leads to its own owner, and is asked for there: the record once.
query self.self.example.com DNAME
  rcode NOERROR aa
  answer self.example.com. 300 IN DNAME example.com.
  answer self.self.example.com. 300 IN CNAME self.example.com.
query self.self.example.com ANY
  rcode NOERROR aa
  answer self.example.com. 300 IN DNAME example.com.
  answer self.self.example.com. 300 IN CNAME self.example.com.
# A wildcard's is another record: it does not redirect what is below the names it speaks for.
query x.wild.*.wild.example.com DNAME
  rcode NOERROR aa
  answer *.wild.example.com. 300 IN DNAME example.com.
  answer x.wild.*.wild.example.com. 300 IN CNAME x.wild.example.com.
  answer x.wild.example.com. 300 IN DNAME example.com.
query a.x.wild.example.com A
  rcode NOERROR aa
  authority example.com. 60 IN SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60

# Eight CNAMEs at most, made ones counted.
query x.deeper.example.info A
  rcode NOERROR aa
  answer deeper.example.info. 300 IN DNAME a.deeper.example.info.
  answer x.deeper.example.info. 300 IN CNAME x.a.deeper.example.info.
  answer x.a.deeper.example.info. 300 IN CNAME x.a.a.deeper.example.info.
  answer x.a.a.deeper.example.info. 300 IN CNAME x.a.a.a.deeper.example.info.
  answer x.a.a.a.deeper.example.info. 300 IN CNAME x.a.a.a.a.deeper.example.info.
  answer x.a.a.a.a.deeper.example.info. 300 IN CNAME x.a.a.a.a.a.deeper.example.info.
  answer x.a.a.a.a.a.deeper.example.info. 300 IN CNAME x.a.a.a.a.a.a.deeper.example.info.
  answer x.a.a.a.a.a.a.deeper.example.info. 300 IN CNAME x.a.a.a.a.a.a.a.deeper.example.info.
  answer x.a.a.a.a.a.a.a.deeper.example.info. 300 IN CNAME x.a.a.a.a.a.a.a.a.deeper.example.info.
query 0.example.info A
  rcode NOERROR aa
  answer 0.example.info. 300 IN CNAME 1.example.info.
  answer 1.example.info. 300 IN CNAME 2.example.info.
  answer 2.example.info. 300 IN CNAME 3.example.info.
  answer 3.example.info. 300 IN CNAME 4.example.info.
  answer 4.example.info. 300 IN CNAME x.deeper.example.info.
  answer deeper.example.info. 300 IN DNAME a.deeper.example.info.
  answer x.deeper.example.info. 300 IN CNAME x.a.deeper.example.info.
  answer x.a.deeper.example.info. 300 IN CNAME x.a.a.deeper.example.info.
  answer x.a.a.deeper.example.info. 300 IN CNAME x.a.a.a.deeper.example.info.

# Out of our zones the resolver goes on by itself.
query www.out.example.com A
  rcode NOERROR aa
  answer out.example.com. 300 IN DNAME example.net.
  answer www.out.example.com. 300 IN CNAME www.example.net.
query away.example.com A
  rcode NOERROR aa
  answer away.example.com. 300 IN CNAME www.out.example.com.
  answer out.example.com. 300 IN DNAME example.net.
  answer www.out.example.com. 300 IN CNAME www.example.net.

# Into a delegation.
query host.sub.old.example.com A
  rcode NOERROR aa
  answer old.example.com. 300 IN DNAME new.example.com.
  answer host.sub.old.example.com. 300 IN CNAME host.sub.new.example.com.
  authority sub.new.example.com. 300 IN NS ns.elsewhere.net.

# YXDOMAIN where the new name is too long (RFC 6672 §2.2); the DNAME tells why.
query xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy.long.example.com A
  rcode YXDOMAIN aa
  answer long.example.com. 300 IN DNAME a-rather-long-label-of-more-than-thirty-bytes.example.net.

# At an apex: the SOA and NS stay what they are, all other names lead away, also to another zone.
query example.org SOA
  rcode NOERROR aa
  answer example.org. 3600 IN SOA ns1.example.org. hostmaster.example.org. 1 7200 1800 1209600 60
query www.old.example.org A
  rcode NOERROR aa
  answer example.org. 3600 IN DNAME example.com.
  answer www.old.example.org. 3600 IN CNAME www.old.example.com.
  answer old.example.com. 300 IN DNAME new.example.com.
  answer www.old.example.com. 300 IN CNAME www.new.example.com.
  answer www.new.example.com. 200 IN A 192.0.2.2
