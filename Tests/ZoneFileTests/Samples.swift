import DNSWire

/// RDATA of every type of the table, chosen to be awkward.
let samples: [(type: RRType, rdata: [String])] = [
    (.a, ["0.0.0.0", "255.255.255.255"]),
    (.ns, [".", "@", #"a\.b.\000\255"#]),
    (.cname, ["*.x", "a.example.net."]),
    (.soa, ["@ host\\.master 0 0 0 0 0", "ns.example. a 4294967295 1w 1d 1h 4294967295"]),
    (.ptr, ["1.0.0.127.in-addr.arpa."]),
    (.hinfo, [#""" """#, #"VAX "a \"system\"""#]),
    (.mx, ["0 .", "65535 mail"]),
    (.txt, [#""""#, #""a\"b" c\;d "\000\\\200""#, "\"\(String(repeating: "x", count: 255))\""]),
    (.rp, [". .", "mailbox @"]),
    (.afsdb, ["1 server", "65535 ."]),
    (.aaaa, ["::", "::1", "2001:db8::1:0:0:1", "::ffff:192.0.2.1"]),
    (
        .loc,
        [
            "0 N 0 E 0", "90 S 180 W -100000 0 0 0", "42 21 28.764 N 71 00 51.617 W -44m 2000m",
            "90 N 180 E 42849672.95m 90000000m 0.01m 0.09m", "0 0 0.001 S 0 0 59.999 W -0.01",
        ]
    ),
    (.srv, ["0 0 0 .", "1 2 65535 target"]),
    (.naptr, [#"0 0 "" "" "" ."#, #"65535 1 s SIP+D2T "!^(.*)$!sip:\\1@example.com!" _sip._tcp"#]),
    (.kx, ["0 .", "65535 target"]),
    (.cert, ["PKIX 0 0 AA==", "65535 65535 255 AQIDBA=="]),
    (.dname, [".", "example.net."]),
    (
        .ds,
        [
            "0 0 0 00", "65535 13 1 \(String(repeating: "ab", count: 20))",
            "1 8 2 \(String(repeating: "00", count: 32))",
            "1 8 4 \(String(repeating: "ff", count: 48))",
        ]
    ),
    (.sshfp, ["4 0 00", "1 1 \(String(repeating: "01", count: 20))"]),
    (
        .rrsig,
        [
            "A 5 3 86400 20030322173103 20030220173103 2642 example.com. AQIDBA==",
            "TYPE65535 0 0 0 0 0 0 . AA==",
            "NSEC 255 255 2147483647 19700101000000 20240229235959 65535 @ /+8=",
        ]
    ),
    (.nsec, ["@ A", "host A MX RRSIG NSEC TYPE1234 CAA TYPE65535"]),
    (.dnskey, ["256 3 5 AQPSKmynfzW4kyBv", "65535 255 255 AA=="]),
    (.dhcid, ["AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="]),
    (
        .nsec3,
        [
            "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG",
            "1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr",
            "255 255 65535 \(String(repeating: "7f", count: 255)) "
                + "2t7b4g4vsa5smi47k61mv5bv1a22bojr TYPE256",
        ]
    ),
    (.nsec3param, ["1 0 0 -", "255 255 65535 00ff"]),
    (.tlsa, ["0 0 0 00", "3 1 1 \(String(repeating: "ab", count: 32))"]),
    (.smimea, ["255 255 255 abcdef", "3 1 2 \(String(repeating: "ab", count: 64))"]),
    (.cds, ["0 0 0 00", "1 13 2 \(String(repeating: "9a", count: 32))"]),
    (.cdnskey, ["0 3 0 AA==", "257 3 13 AQID"]),
    (.openpgpkey, ["AA==", "AAECAwQF"]),
    (.csync, ["66 3 A NS AAAA", "4294967295 65535"]),
    (
        .zonemd,
        [
            "2018031900 1 1 \(String(repeating: "c6", count: 48))",
            "1 240 255 \(String(repeating: "00", count: 12))",
        ]
    ),
    (
        .svcb,
        [
            "0 .", "1 . port=0", #"1 . key9 key65534="\000\255\"\\ ;""#,
            #"65535 @ alpn="f\\\\oo\\,bar,h2" no-default-alpn mandatory=port,alpn port=1"#,
        ]
    ),
    (
        .https,
        [
            "1 . alpn=h3,h2 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1,::",
            "2 host ech=AEX+DQBBpQAg", "3 . dohpath=/dns-query{?dns}",
        ]
    ),
    (.spf, [#""v=spf1 -all""#, #"a "b c" """#]),
    (.eui48, ["00-00-5e-00-53-2a", "FF-FF-FF-FF-FF-FF"]),
    (.eui64, ["00-00-5e-ef-10-00-00-2a"]),
    (.uri, [#"10 1 "ftp://ftp1.example.com/public""#, #"0 65535 "a b\"\\\200""#]),
    (.caa, [#"0 issue ";""#, #"128 iodef "mailto:\"x\"@example.com""#, #"0 issue """#]),
    (RRType(rawValue: 65280), [##"\# 0"##, ##"\# 3 00 ff 7f"##]),
]
