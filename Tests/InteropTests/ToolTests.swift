import DNSWire
import TestSupport
import Testing

extension Interop {
    /// The tools that operators look with read our messages without a complaint, and show in them
    /// what they should.
    @Suite struct Tools {
        private let app = "app.\(TestWorld.zoneName)"

        /// Runs `dig` and returns what it printed; it must end well and complain of nothing.
        private func dig(_ server: TestServer, _ words: String...) throws -> String {
            let (status, text) = try Needed.dig.run(
                ["@127.0.0.1", "-p", "\(server.port)", "+norecurse", "+timeout=5"] + words)
            #expect(status == 0, "\(text)")
            expectNoComplaint(text)
            return text
        }

        private func expectNoComplaint(
            _ text: String, sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let complaints = [
                "warning", "error:", "malformed", "bad packet", "extra byte", "mismatch",
                "unexpected", "timed out", "couldn't",
            ]
            for complaint in complaints {
                #expect(
                    !text.lowercased().contains(complaint), "\(text)",
                    sourceLocation: sourceLocation)
            }
        }

        @Test(.needs(.dig)) func digShowsTheScope() throws {
            let server = try TestWorld.server()
            let japan = try dig(server, "+subnet=203.0.113.0/24", app)
            #expect(japan.contains("status: NOERROR"))
            #expect(japan.contains("flags: qr aa;"))
            #expect(japan.contains("CLIENT-SUBNET: 203.0.113.0/24/20"))
            #expect(japan.contains("192.0.2.30"))
            // An address that is not a whole number of bytes, and one of IPv6.
            let odd = try dig(server, "+subnet=203.0.112.0/21", app)
            #expect(odd.contains("CLIENT-SUBNET: 203.0.112.0/21/20"))
            let ipv6 = try dig(server, "+subnet=2001:db8::/48", app, "AAAA")
            #expect(ipv6.contains("CLIENT-SUBNET: 2001:db8::/48/"))
            let none = try dig(server, "+subnet=0.0.0.0/0", app)
            #expect(none.contains("CLIENT-SUBNET: 0.0.0.0/0/0"))
            // Nothing that was not asked for comes back (RFC 7871 §7.2.2).
            #expect(!(try dig(server, app)).contains("CLIENT-SUBNET"))
        }

        @Test(.needs(.dig)) func digSpeaksEDNS() throws {
            let server = try TestWorld.server()
            #expect(try dig(server, app).contains("; EDNS: version: 0, flags:; udp: 1232"))
            // Options that are not known are ignored (RFC 6891 §6.1.2), cookies for now among them.
            let option = try dig(server, "+ednsopt=65001:abcd", "+cookie=0102030405060708", app)
            #expect(option.contains("status: NOERROR"))
            #expect(!option.contains("OPT=65001"))
            #expect(option.contains("192.0.2."))
            // Flags of the future are zero in the response (RFC 6891 §6.1.4); DO is copied
            // (RFC 3225 §3).
            let flags = try dig(server, "+ednsflags=0x4000", "+dnssec", app)
            #expect(flags.contains("EDNS: version: 0, flags: do;"))
            #expect(!flags.contains("MBZ"))
            // RFC 6891 §6.1.3
            let version = try dig(server, "+edns=1", "+noednsnegotiation", app)
            #expect(version.contains("status: BADVERS"))
            #expect(version.contains("EDNS: version: 0"))
            #expect(version.contains("ANSWER: 0"))
            // dig itself goes down to version 0 when it may.
            #expect(try dig(server, "+edns=1", app).contains("status: NOERROR"))
            // No OPT without OPT (RFC 6891 §7).
            let plain = try dig(server, "+noedns", app)
            #expect(plain.contains("status: NOERROR"))
            #expect(!plain.contains("EDNS"))
            #expect(plain.contains("ADDITIONAL: 0"))
        }

        @Test(.needs(.dig)) func digOverTCP() throws {
            let server = try TestWorld.server()
            // Two questions over one connection, which stays open between them (RFC 7766 §6.2.1).
            let two = try dig(
                server, "+tcp", "+keepopen", app, "nrt.\(TestWorld.zoneName)", "+tcp", "+keepopen")
            #expect(two.split(separator: "\n").count { $0.contains("status: NOERROR") } == 2)
            #expect(try server.counter("TCP queries") == 2)
            #expect(try server.counter("TCP connections") == 1)
            #expect(try server.counter("datagrams received") == 0)
        }

        @Test(.needs(.dig)) func digOverIPv6() throws {
            let port = freePort(on: "::1")
            let server = try TestWorld.server(alsoOn: "[::1]@\(port)")
            for words in [["+notcp"], ["+tcp"]] {
                let (status, text) = try Needed.dig.run(
                    ["@::1", "-p", "\(port)", "+norecurse", "+subnet=203.0.113.0/24", app, "AAAA"]
                        + words)
                #expect(status == 0)
                #expect(text.contains("CLIENT-SUBNET: 203.0.113.0/24/20"), "\(text)")
                #expect(text.contains("2001:db8:3::10"), "\(text)")
            }
            #expect(try server.counter("TCP queries") == 1)
            #expect(try server.counter("datagrams received") == 1)
        }

        @Test(.needs(.dig)) func digFetchesWhatIsTruncated() throws {
            let server = try TestWorld.server()
            let big = "big.\(TestWorld.zoneName)"
            for size in ["+bufsize=512", "+bufsize=4096", "+noedns"] {
                let truncated = try dig(server, size, "+ignore", big, "TXT")
                #expect(truncated.contains("flags: qr aa tc;"), "\(truncated)")
                let whole = try dig(server, size, big, "TXT")
                #expect(whole.contains("Truncated, retrying in TCP mode"), "\(whole)")
                #expect(whole.contains("ANSWER: 10,"), "\(whole)")
            }
        }

        /// A reply that is longer than the MTU of its interface comes in fragments rather than not
        /// at all. The interface is one of a network namespace, so that only root can run this.
        @Test(.needs(.dig), .needsNamespace) func digGetsFragmentsWhereTheInterfaceIsSmall() throws
        {
            let text = try TestWorld.inNamespace(
                "ip link set lo mtu 1000 up",
                """
                for name in app long long; do
                    "\(Needed.dig.path ?? "")" @127.0.0.1 -p 5300 +norecurse +ignore +bufsize=1232 \
                        $name.\(TestWorld.zoneName) TXT
                    grep ^Ip: /proc/net/snmp
                done
                """)
            #expect(text.matches(of: /flags: qr aa; QUERY: 1, ANSWER: 5/).count == 2, "\(text)")
            let rows = text.split(separator: "\n").filter { $0.hasPrefix("Ip:") }
                .map { $0.split(separator: " ") }
            try #require(rows.count == 6, "\(text)")
            let column = try #require(rows[0].firstIndex(of: "FragCreates"))
            #expect([rows[1], rows[3], rows[5]].map { $0[column] } == ["0", "2", "4"], "\(text)")
        }

        @Test(.needs(.dig)) func digRefused() throws {
            let server = try TestWorld.server()
            for words in [
                ["www.example.net"], ["example.com", "SOA"], ["com", "NS"], [".", "NS"],
                ["authors.bind", "CH", "TXT"], [app, "MAILB"],
            ] {
                let (status, text) = try Needed.dig.run(
                    ["@127.0.0.1", "-p", "\(server.port)", "+norecurse"] + words)
                #expect(status == 0)
                #expect(text.contains("status: REFUSED"), "\(text)")
                // Not only "no aa": a cookie may have these letters.
                #expect(text.contains("flags: qr;"), "\(text)")
            }
            // An opcode of another kind: NOTIFY (RFC 1996) is not implemented.
            let (_, text) = try Needed.dig.run(
                [
                    "@127.0.0.1", "-p", "\(server.port)", "+norecurse", "+opcode=NOTIFY",
                    TestWorld.zoneName, "SOA",
                ])
            #expect(text.contains("opcode: NOTIFY, status: NOTIMP"), "\(text)")
        }

        @Test(.needs(.kdig)) func kdig() throws {
            let server = try TestWorld.server()
            func kdig(_ words: String...) throws -> String {
                let (status, text) = try Needed.kdig.run(
                    ["@127.0.0.1", "-p", "\(server.port)", "+norecurse"] + words)
                #expect(status == 0, "\(text)")
                expectNoComplaint(text)
                return text
            }
            let japan = try kdig("+subnet=203.0.113.0/24", app)
            #expect(japan.contains("192.0.2.30"))
            #expect(japan.contains("CLIENT-SUBNET: 203.0.113.0/24/20"))
            #expect(try kdig("+edns=1", app).contains("BADVERS"))
            #expect(try kdig("+tcp", "+keepopen", app, app).contains("192.0.2."))
            #expect(try kdig("nothing.\(TestWorld.zoneName)").contains("status: NXDOMAIN"))
            #expect(try kdig("+tcp", "big.\(TestWorld.zoneName)", "TXT").contains("ANSWER: 10;"))
            #expect(try kdig("+ignore", "big.\(TestWorld.zoneName)", "TXT").contains("qr aa tc;"))
            // Padded to a multiple, as over TLS (RFC 7830): an option like others.
            #expect(try kdig("+padding=128", "+nsid", app).contains("192.0.2."))
        }

        /// Service bindings with the hints of the client's target, as both tools read them.
        @Test(.needs(.dig), .needs(.kdig)) func hintsOfServiceBindings() throws {
            let server = try TestWorld.server()
            let name = "bound.\(TestWorld.zoneName)"
            let expected =
                #"1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.30 ipv6hint=2001:db8:3::10"#
            let dig = try dig(server, "+subnet=203.0.113.0/24", name, "HTTPS")
            #expect(dig.contains("HTTPS\t\(expected)\n"), "\(dig)")
            #expect(dig.contains("CLIENT-SUBNET: 203.0.113.0/24/20"))
            let (status, text) = try Needed.kdig.run(
                [
                    "@127.0.0.1", "-p", "\(server.port)", "+norecurse",
                    "+subnet=203.0.113.0/24", name, "HTTPS",
                ])
            #expect(status == 0)
            expectNoComplaint(text)
            let plain = expected.replacing("\"", with: "")
            #expect(text.replacing("\"", with: "").contains(plain), "\(text)")
        }

        @Test(.needs(.drill)) func drill() throws {
            let server = try TestWorld.server()
            func drill(_ words: String...) throws -> String {
                let (status, text) = try Needed.drill.run(
                    ["-p", "\(server.port)", "-o", "rd"] + words)
                #expect(status == 0, "\(text)")
                expectNoComplaint(text)
                return text
            }
            #expect(try drill(app, "@127.0.0.1").contains("rcode: NOERROR"))
            #expect(try drill("-t", app, "@127.0.0.1", "AAAA").contains("2001:db8:"))
            let alias = try drill("alias.\(TestWorld.zoneName)", "@127.0.0.1")
            #expect(alias.contains("CNAME\thop.\(TestWorld.zoneName)."))
            #expect(alias.contains("A\t192.0.2."))
            #expect(
                try drill("nothing.\(TestWorld.zoneName)", "@127.0.0.1").contains("rcode: NXDOMAIN")
            )
            #expect(
                try drill("-a", "big.\(TestWorld.zoneName)", "@127.0.0.1", "TXT")
                    .contains("ANSWER: 10,"))
        }

        /// delv, without an anchor: parses as a validating resolver would.
        @Test(.needs(.delv)) func delv() throws {
            let server = try TestWorld.server()
            func delv(_ words: String...) throws -> String {
                let (status, text) = try Needed.delv.run(
                    ["@127.0.0.1", "-p", "\(server.port)", "-i"] + words)
                #expect(status == 0, "\(text)")
                return text
            }
            let address = try delv(app, "A")
            #expect(address.contains("; authoritative"), "\(address)")
            #expect(address.contains("192.0.2."), "\(address)")
            #expect(try delv("alias.\(TestWorld.zoneName)", "AAAA").contains("2001:db8:"))
            #expect(try delv("nothing.\(TestWorld.zoneName)", "A").contains("ncache nxdomain"))
            #expect(try delv(app, "MX").contains("ncache nxrrset"))
            #expect(try delv("big.\(TestWorld.zoneName)", "TXT").contains("009"))
        }
    }
}
