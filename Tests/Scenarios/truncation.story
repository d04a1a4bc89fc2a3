# Truncation (RFC 1035 §4.1.1, RFC 2181 §9): a section goes whole or not at all.
zone example.com
@ 3600 SOA ns1 hostmaster 1 7200 1800 1209600 60
@ 3600 NS ns1
ns1 3600 A 192.0.2.53
mid 300 A 198.51.100.1
mid 300 A 198.51.100.2
mid 300 A 198.51.100.3
mid 300 A 198.51.100.4
mid 300 A 198.51.100.5
mid 300 A 198.51.100.6
mid 300 A 198.51.100.7
mid 300 A 198.51.100.8
mid 300 A 198.51.100.9
mid 300 A 198.51.100.10
mid 300 A 198.51.100.11
mid 300 A 198.51.100.12
mid 300 A 198.51.100.13
mid 300 A 198.51.100.14
mid 300 A 198.51.100.15
mid 300 A 198.51.100.16
mid 300 A 198.51.100.17
mid 300 A 198.51.100.18
mid 300 A 198.51.100.19
mid 300 A 198.51.100.20
mid 300 A 198.51.100.21
mid 300 A 198.51.100.22
mid 300 A 198.51.100.23
mid 300 A 198.51.100.24
mid 300 A 198.51.100.25
mid 300 A 198.51.100.26
mid 300 A 198.51.100.27
mid 300 A 198.51.100.28
mid 300 A 198.51.100.29
mid 300 A 198.51.100.30
mid 300 A 198.51.100.31
mid 300 A 198.51.100.32
mid 300 A 198.51.100.33
mid 300 A 198.51.100.34
mid 300 A 198.51.100.35
mid 300 A 198.51.100.36
mid 300 A 198.51.100.37
mid 300 A 198.51.100.38
mid 300 A 198.51.100.39
mid 300 A 198.51.100.40
big 300 A 192.0.2.1
big 300 A 192.0.2.2
big 300 A 192.0.2.3
big 300 A 192.0.2.4
big 300 A 192.0.2.5
big 300 A 192.0.2.6
big 300 A 192.0.2.7
big 300 A 192.0.2.8
big 300 A 192.0.2.9
big 300 A 192.0.2.10
big 300 A 192.0.2.11
big 300 A 192.0.2.12
big 300 A 192.0.2.13
big 300 A 192.0.2.14
big 300 A 192.0.2.15
big 300 A 192.0.2.16
big 300 A 192.0.2.17
big 300 A 192.0.2.18
big 300 A 192.0.2.19
big 300 A 192.0.2.20
big 300 A 192.0.2.21
big 300 A 192.0.2.22
big 300 A 192.0.2.23
big 300 A 192.0.2.24
big 300 A 192.0.2.25
big 300 A 192.0.2.26
big 300 A 192.0.2.27
big 300 A 192.0.2.28
big 300 A 192.0.2.29
big 300 A 192.0.2.30
big 300 A 192.0.2.31
big 300 A 192.0.2.32
big 300 A 192.0.2.33
big 300 A 192.0.2.34
big 300 A 192.0.2.35
big 300 A 192.0.2.36
big 300 A 192.0.2.37
big 300 A 192.0.2.38
big 300 A 192.0.2.39
big 300 A 192.0.2.40
big 300 A 192.0.2.41
big 300 A 192.0.2.42
big 300 A 192.0.2.43
big 300 A 192.0.2.44
big 300 A 192.0.2.45
big 300 A 192.0.2.46
big 300 A 192.0.2.47
big 300 A 192.0.2.48
big 300 A 192.0.2.49
big 300 A 192.0.2.50
big 300 A 192.0.2.51
big 300 A 192.0.2.52
big 300 A 192.0.2.53
big 300 A 192.0.2.54
big 300 A 192.0.2.55
big 300 A 192.0.2.56
big 300 A 192.0.2.57
big 300 A 192.0.2.58
big 300 A 192.0.2.59
big 300 A 192.0.2.60
big 300 A 192.0.2.61
big 300 A 192.0.2.62
big 300 A 192.0.2.63
big 300 A 192.0.2.64
big 300 A 192.0.2.65
big 300 A 192.0.2.66
big 300 A 192.0.2.67
big 300 A 192.0.2.68
big 300 A 192.0.2.69
big 300 A 192.0.2.70
big 300 A 192.0.2.71
big 300 A 192.0.2.72
big 300 A 192.0.2.73
big 300 A 192.0.2.74
big 300 A 192.0.2.75
big 300 A 192.0.2.76
big 300 A 192.0.2.77
big 300 A 192.0.2.78
big 300 A 192.0.2.79
big 300 A 192.0.2.80
big 300 A 192.0.2.81
big 300 A 192.0.2.82
big 300 A 192.0.2.83
big 300 A 192.0.2.84
big 300 A 192.0.2.85
big 300 A 192.0.2.86
big 300 A 192.0.2.87
big 300 A 192.0.2.88
big 300 A 192.0.2.89
big 300 A 192.0.2.90
big 300 A 192.0.2.91
big 300 A 192.0.2.92
big 300 A 192.0.2.93
big 300 A 192.0.2.94
big 300 A 192.0.2.95
big 300 A 192.0.2.96
big 300 A 192.0.2.97
big 300 A 192.0.2.98
big 300 A 192.0.2.99
big 300 A 192.0.2.100
sub 300 NS ns1.sub
ns1.sub 300 A 192.0.2.1
ns1.sub 300 AAAA 2001:db8::1
sub 300 NS ns2.sub
ns2.sub 300 A 192.0.2.2
ns2.sub 300 AAAA 2001:db8::2
sub 300 NS ns3.sub
ns3.sub 300 A 192.0.2.3
ns3.sub 300 AAAA 2001:db8::3
sub 300 NS ns4.sub
ns4.sub 300 A 192.0.2.4
ns4.sub 300 AAAA 2001:db8::4
sub 300 NS ns5.sub
ns5.sub 300 A 192.0.2.5
ns5.sub 300 AAAA 2001:db8::5
sub 300 NS ns6.sub
ns6.sub 300 A 192.0.2.6
ns6.sub 300 AAAA 2001:db8::6
sub 300 NS ns7.sub
ns7.sub 300 A 192.0.2.7
ns7.sub 300 AAAA 2001:db8::7
sub 300 NS ns8.sub
ns8.sub 300 A 192.0.2.8
ns8.sub 300 AAAA 2001:db8::8
sub 300 NS ns9.sub
ns9.sub 300 A 192.0.2.9
ns9.sub 300 AAAA 2001:db8::9
end

# 40 addresses are 680 bytes: too long for plain UDP, fine for EDNS.
query mid.example.com A edns=none
  rcode NOERROR aa tc
query mid.example.com A edns=512
  rcode NOERROR aa tc
query mid.example.com A edns=100
  rcode NOERROR aa tc
query mid.example.com A edns=1232
  rcode NOERROR aa
  answer mid.example.com. 300 IN A 198.51.100.1
  answer mid.example.com. 300 IN A 198.51.100.2
  answer mid.example.com. 300 IN A 198.51.100.3
  answer mid.example.com. 300 IN A 198.51.100.4
  answer mid.example.com. 300 IN A 198.51.100.5
  answer mid.example.com. 300 IN A 198.51.100.6
  answer mid.example.com. 300 IN A 198.51.100.7
  answer mid.example.com. 300 IN A 198.51.100.8
  answer mid.example.com. 300 IN A 198.51.100.9
  answer mid.example.com. 300 IN A 198.51.100.10
  answer mid.example.com. 300 IN A 198.51.100.11
  answer mid.example.com. 300 IN A 198.51.100.12
  answer mid.example.com. 300 IN A 198.51.100.13
  answer mid.example.com. 300 IN A 198.51.100.14
  answer mid.example.com. 300 IN A 198.51.100.15
  answer mid.example.com. 300 IN A 198.51.100.16
  answer mid.example.com. 300 IN A 198.51.100.17
  answer mid.example.com. 300 IN A 198.51.100.18
  answer mid.example.com. 300 IN A 198.51.100.19
  answer mid.example.com. 300 IN A 198.51.100.20
  answer mid.example.com. 300 IN A 198.51.100.21
  answer mid.example.com. 300 IN A 198.51.100.22
  answer mid.example.com. 300 IN A 198.51.100.23
  answer mid.example.com. 300 IN A 198.51.100.24
  answer mid.example.com. 300 IN A 198.51.100.25
  answer mid.example.com. 300 IN A 198.51.100.26
  answer mid.example.com. 300 IN A 198.51.100.27
  answer mid.example.com. 300 IN A 198.51.100.28
  answer mid.example.com. 300 IN A 198.51.100.29
  answer mid.example.com. 300 IN A 198.51.100.30
  answer mid.example.com. 300 IN A 198.51.100.31
  answer mid.example.com. 300 IN A 198.51.100.32
  answer mid.example.com. 300 IN A 198.51.100.33
  answer mid.example.com. 300 IN A 198.51.100.34
  answer mid.example.com. 300 IN A 198.51.100.35
  answer mid.example.com. 300 IN A 198.51.100.36
  answer mid.example.com. 300 IN A 198.51.100.37
  answer mid.example.com. 300 IN A 198.51.100.38
  answer mid.example.com. 300 IN A 198.51.100.39
  answer mid.example.com. 300 IN A 198.51.100.40
# 100 addresses are longer than this server sends over UDP, whatever the requestor takes.
query big.example.com A edns=4096
  rcode NOERROR aa tc
query big.example.com A edns=4096 tcp
  rcode NOERROR aa
  answer big.example.com. 300 IN A 192.0.2.1
  answer big.example.com. 300 IN A 192.0.2.2
  answer big.example.com. 300 IN A 192.0.2.3
  answer big.example.com. 300 IN A 192.0.2.4
  answer big.example.com. 300 IN A 192.0.2.5
  answer big.example.com. 300 IN A 192.0.2.6
  answer big.example.com. 300 IN A 192.0.2.7
  answer big.example.com. 300 IN A 192.0.2.8
  answer big.example.com. 300 IN A 192.0.2.9
  answer big.example.com. 300 IN A 192.0.2.10
  answer big.example.com. 300 IN A 192.0.2.11
  answer big.example.com. 300 IN A 192.0.2.12
  answer big.example.com. 300 IN A 192.0.2.13
  answer big.example.com. 300 IN A 192.0.2.14
  answer big.example.com. 300 IN A 192.0.2.15
  answer big.example.com. 300 IN A 192.0.2.16
  answer big.example.com. 300 IN A 192.0.2.17
  answer big.example.com. 300 IN A 192.0.2.18
  answer big.example.com. 300 IN A 192.0.2.19
  answer big.example.com. 300 IN A 192.0.2.20
  answer big.example.com. 300 IN A 192.0.2.21
  answer big.example.com. 300 IN A 192.0.2.22
  answer big.example.com. 300 IN A 192.0.2.23
  answer big.example.com. 300 IN A 192.0.2.24
  answer big.example.com. 300 IN A 192.0.2.25
  answer big.example.com. 300 IN A 192.0.2.26
  answer big.example.com. 300 IN A 192.0.2.27
  answer big.example.com. 300 IN A 192.0.2.28
  answer big.example.com. 300 IN A 192.0.2.29
  answer big.example.com. 300 IN A 192.0.2.30
  answer big.example.com. 300 IN A 192.0.2.31
  answer big.example.com. 300 IN A 192.0.2.32
  answer big.example.com. 300 IN A 192.0.2.33
  answer big.example.com. 300 IN A 192.0.2.34
  answer big.example.com. 300 IN A 192.0.2.35
  answer big.example.com. 300 IN A 192.0.2.36
  answer big.example.com. 300 IN A 192.0.2.37
  answer big.example.com. 300 IN A 192.0.2.38
  answer big.example.com. 300 IN A 192.0.2.39
  answer big.example.com. 300 IN A 192.0.2.40
  answer big.example.com. 300 IN A 192.0.2.41
  answer big.example.com. 300 IN A 192.0.2.42
  answer big.example.com. 300 IN A 192.0.2.43
  answer big.example.com. 300 IN A 192.0.2.44
  answer big.example.com. 300 IN A 192.0.2.45
  answer big.example.com. 300 IN A 192.0.2.46
  answer big.example.com. 300 IN A 192.0.2.47
  answer big.example.com. 300 IN A 192.0.2.48
  answer big.example.com. 300 IN A 192.0.2.49
  answer big.example.com. 300 IN A 192.0.2.50
  answer big.example.com. 300 IN A 192.0.2.51
  answer big.example.com. 300 IN A 192.0.2.52
  answer big.example.com. 300 IN A 192.0.2.53
  answer big.example.com. 300 IN A 192.0.2.54
  answer big.example.com. 300 IN A 192.0.2.55
  answer big.example.com. 300 IN A 192.0.2.56
  answer big.example.com. 300 IN A 192.0.2.57
  answer big.example.com. 300 IN A 192.0.2.58
  answer big.example.com. 300 IN A 192.0.2.59
  answer big.example.com. 300 IN A 192.0.2.60
  answer big.example.com. 300 IN A 192.0.2.61
  answer big.example.com. 300 IN A 192.0.2.62
  answer big.example.com. 300 IN A 192.0.2.63
  answer big.example.com. 300 IN A 192.0.2.64
  answer big.example.com. 300 IN A 192.0.2.65
  answer big.example.com. 300 IN A 192.0.2.66
  answer big.example.com. 300 IN A 192.0.2.67
  answer big.example.com. 300 IN A 192.0.2.68
  answer big.example.com. 300 IN A 192.0.2.69
  answer big.example.com. 300 IN A 192.0.2.70
  answer big.example.com. 300 IN A 192.0.2.71
  answer big.example.com. 300 IN A 192.0.2.72
  answer big.example.com. 300 IN A 192.0.2.73
  answer big.example.com. 300 IN A 192.0.2.74
  answer big.example.com. 300 IN A 192.0.2.75
  answer big.example.com. 300 IN A 192.0.2.76
  answer big.example.com. 300 IN A 192.0.2.77
  answer big.example.com. 300 IN A 192.0.2.78
  answer big.example.com. 300 IN A 192.0.2.79
  answer big.example.com. 300 IN A 192.0.2.80
  answer big.example.com. 300 IN A 192.0.2.81
  answer big.example.com. 300 IN A 192.0.2.82
  answer big.example.com. 300 IN A 192.0.2.83
  answer big.example.com. 300 IN A 192.0.2.84
  answer big.example.com. 300 IN A 192.0.2.85
  answer big.example.com. 300 IN A 192.0.2.86
  answer big.example.com. 300 IN A 192.0.2.87
  answer big.example.com. 300 IN A 192.0.2.88
  answer big.example.com. 300 IN A 192.0.2.89
  answer big.example.com. 300 IN A 192.0.2.90
  answer big.example.com. 300 IN A 192.0.2.91
  answer big.example.com. 300 IN A 192.0.2.92
  answer big.example.com. 300 IN A 192.0.2.93
  answer big.example.com. 300 IN A 192.0.2.94
  answer big.example.com. 300 IN A 192.0.2.95
  answer big.example.com. 300 IN A 192.0.2.96
  answer big.example.com. 300 IN A 192.0.2.97
  answer big.example.com. 300 IN A 192.0.2.98
  answer big.example.com. 300 IN A 192.0.2.99
  answer big.example.com. 300 IN A 192.0.2.100
# A referral whose glue does not fit is truncated too (RFC 9471 §3.1).
query www.sub.example.com A edns=1232
  rcode NOERROR
  authority sub.example.com. 300 IN NS ns1.sub.example.com.
  authority sub.example.com. 300 IN NS ns2.sub.example.com.
  authority sub.example.com. 300 IN NS ns3.sub.example.com.
  authority sub.example.com. 300 IN NS ns4.sub.example.com.
  authority sub.example.com. 300 IN NS ns5.sub.example.com.
  authority sub.example.com. 300 IN NS ns6.sub.example.com.
  authority sub.example.com. 300 IN NS ns7.sub.example.com.
  authority sub.example.com. 300 IN NS ns8.sub.example.com.
  authority sub.example.com. 300 IN NS ns9.sub.example.com.
  additional ns1.sub.example.com. 300 IN A 192.0.2.1
  additional ns1.sub.example.com. 300 IN AAAA 2001:db8::1
  additional ns2.sub.example.com. 300 IN A 192.0.2.2
  additional ns2.sub.example.com. 300 IN AAAA 2001:db8::2
  additional ns3.sub.example.com. 300 IN A 192.0.2.3
  additional ns3.sub.example.com. 300 IN AAAA 2001:db8::3
  additional ns4.sub.example.com. 300 IN A 192.0.2.4
  additional ns4.sub.example.com. 300 IN AAAA 2001:db8::4
  additional ns5.sub.example.com. 300 IN A 192.0.2.5
  additional ns5.sub.example.com. 300 IN AAAA 2001:db8::5
  additional ns6.sub.example.com. 300 IN A 192.0.2.6
  additional ns6.sub.example.com. 300 IN AAAA 2001:db8::6
  additional ns7.sub.example.com. 300 IN A 192.0.2.7
  additional ns7.sub.example.com. 300 IN AAAA 2001:db8::7
  additional ns8.sub.example.com. 300 IN A 192.0.2.8
  additional ns8.sub.example.com. 300 IN AAAA 2001:db8::8
  additional ns9.sub.example.com. 300 IN A 192.0.2.9
  additional ns9.sub.example.com. 300 IN AAAA 2001:db8::9
query www.sub.example.com A edns=none tcp
  rcode NOERROR
  authority sub.example.com. 300 IN NS ns1.sub.example.com.
  authority sub.example.com. 300 IN NS ns2.sub.example.com.
  authority sub.example.com. 300 IN NS ns3.sub.example.com.
  authority sub.example.com. 300 IN NS ns4.sub.example.com.
  authority sub.example.com. 300 IN NS ns5.sub.example.com.
  authority sub.example.com. 300 IN NS ns6.sub.example.com.
  authority sub.example.com. 300 IN NS ns7.sub.example.com.
  authority sub.example.com. 300 IN NS ns8.sub.example.com.
  authority sub.example.com. 300 IN NS ns9.sub.example.com.
  additional ns1.sub.example.com. 300 IN A 192.0.2.1
  additional ns1.sub.example.com. 300 IN AAAA 2001:db8::1
  additional ns2.sub.example.com. 300 IN A 192.0.2.2
  additional ns2.sub.example.com. 300 IN AAAA 2001:db8::2
  additional ns3.sub.example.com. 300 IN A 192.0.2.3
  additional ns3.sub.example.com. 300 IN AAAA 2001:db8::3
  additional ns4.sub.example.com. 300 IN A 192.0.2.4
  additional ns4.sub.example.com. 300 IN AAAA 2001:db8::4
  additional ns5.sub.example.com. 300 IN A 192.0.2.5
  additional ns5.sub.example.com. 300 IN AAAA 2001:db8::5
  additional ns6.sub.example.com. 300 IN A 192.0.2.6
  additional ns6.sub.example.com. 300 IN AAAA 2001:db8::6
  additional ns7.sub.example.com. 300 IN A 192.0.2.7
  additional ns7.sub.example.com. 300 IN AAAA 2001:db8::7
  additional ns8.sub.example.com. 300 IN A 192.0.2.8
  additional ns8.sub.example.com. 300 IN AAAA 2001:db8::8
  additional ns9.sub.example.com. 300 IN A 192.0.2.9
  additional ns9.sub.example.com. 300 IN AAAA 2001:db8::9
