import DNSWire
import Foundation
import TestSupport
import Testing

extension Interop {
    /// Answers as the world gets them: through a recursive resolver that asks `geodnsd`.
    @Suite(.needs(.unbound), .needs(.named)) struct ThroughResolvers {
        /// A question to the resolver, and what it must say.
        struct Question: CustomStringConvertible {
            var name: String
            var type: RRType
            var code = "NOERROR"
            var answers: [String] = []

            init(_ name: String, _ type: RRType, _ answers: String..., code: String = "NOERROR") {
                self.name = "\(name).\(TestWorld.zoneName)"
                self.type = type
                self.answers = answers
                self.code = code
            }
            var description: String { "\(name) \(type)" }
        }

        /// What Tokyo gets, over every way of asking.
        static let questions = [
            Question("app", .a, "app.gslb.example.com. A 192.0.2.30"),
            Question("app", .aaaa, "app.gslb.example.com. AAAA 2001:db8:3::10"),
            Question("app", .txt),
            Question("nothing", .a, code: "NXDOMAIN"),
            Question("a.nothing", .aaaa, code: "NXDOMAIN"),
            Question("one.wild", .a, "one.wild.gslb.example.com. A 192.0.2.30"),
            Question(
                "two.labels.wild", .aaaa, "two.labels.wild.gslb.example.com. AAAA 2001:db8:3::10"),
            Question("wild", .a),
            Question(
                "alias", .a, "alias.gslb.example.com. CNAME hop.gslb.example.com.",
                "hop.gslb.example.com. CNAME app.gslb.example.com.",
                "app.gslb.example.com. A 192.0.2.30"),
            Question(
                "alias", .aaaa, "alias.gslb.example.com. CNAME hop.gslb.example.com.",
                "hop.gslb.example.com. CNAME app.gslb.example.com.",
                "app.gslb.example.com. AAAA 2001:db8:3::10"),
            Question("nrt", .a, "nrt.gslb.example.com. A 192.0.2.30"),
            Question("ns1", .aaaa),
            // From the deepest up and down again: a resolver that minimises QNAMEs (RFC 9156) asks
            // for the empty non-terminals on the way, and must not take them for missing.
            Question("a.b.deep", .a, "a.b.deep.gslb.example.com. A 192.0.2.99"),
            Question("b.deep", .a),
            Question("deep", .aaaa),
            Question("a.b.deep", .aaaa),
            Question("x.b.deep", .a, code: "NXDOMAIN"),
        ]

        private static func check(
            _ questions: [Question], _ resolver: Resolver, overStream: Bool = false
        ) throws {
            for question in questions {
                let message = try #require(
                    resolver.ask(question.name, question.type, overStream: overStream),
                    "\(question): silence")
                #expect(message.codeName == question.code, "\(question)")
                #expect(message.answers.map(\.summary) == question.answers, "\(question)")
                if question.answers.isEmpty {
                    // RFC 2308 §3: without the SOA nothing could be kept in a cache.
                    #expect(message.authorities.map(\.type) == [.soa], "\(question)")
                }
            }
        }

        @Test(arguments: Resolver.Kind.allCases, [false, true])
        func answers(_ kind: Resolver.Kind, overStream: Bool) throws {
            let server = try TestWorld.server()
            let resolver = try Resolver(
                kind, stubs: [.init(zone: TestWorld.zoneName)], port: server.port,
                .init(lines: ["qname-minimisation-strict: yes", "harden-below-nxdomain: yes"]))
            try Self.check(Self.questions, resolver, overStream: overStream)
            // Once more, from the cache.
            try Self.check(Self.questions, resolver, overStream: !overStream)
        }

        /// A resolver elsewhere: its own address decides.
        @Test(arguments: Resolver.Kind.allCases)
        func nearestToTheResolver(_ kind: Resolver.Kind) throws {
            let server = try TestWorld.server()
            let resolver = try Resolver(
                kind, stubs: [.init(zone: TestWorld.zoneName)], port: server.port,
                .init(source: TestWorld.frankfurt))
            try Self.check(
                [
                    Question("app", .a, "app.gslb.example.com. A 192.0.2.20"),
                    Question("app", .aaaa, "app.gslb.example.com. AAAA 2001:db8:2::10"),
                    Question("x.wild", .a, "x.wild.gslb.example.com. A 192.0.2.20"),
                ], resolver)
        }

        @Test(arguments: Resolver.Kind.allCases)
        func resolverThatAsksOverTCP(_ kind: Resolver.Kind) throws {
            let server = try TestWorld.server()
            let resolver = try Resolver(
                kind, stubs: [.init(zone: TestWorld.zoneName)], port: server.port,
                .init(usesStreams: true))
            try Self.check(Self.questions, resolver)
            #expect(try server.counter("TCP queries") > 0)
            #expect(try server.counter("datagrams received") == 0)
        }

        /// With `--cookies demand` BIND learns a cookie from BADCOOKIE and asks again with it;
        /// unbound 1.17 sends none, and comes over TCP.
        @Test(arguments: Resolver.Kind.allCases)
        func serverThatDemandsCookies(_ kind: Resolver.Kind) throws {
            let server = try TestWorld.server(arguments: ["--cookies", "demand"])
            let resolver = try Resolver(
                kind, stubs: [.init(zone: TestWorld.zoneName)], port: server.port)
            try Self.check(Self.questions, resolver)
            let badCookieCount = try server.counter("BADCOOKIE")
            let goodCookieCount = try server.counter("with good server cookie")
            let truncatedCount = try server.counter("truncated")
            let streamCount = try server.counter("TCP queries")
            switch kind {
            case .bind:
                #expect(badCookieCount > 0 && goodCookieCount > 0)
                #expect(truncatedCount == 0 && streamCount == 0)
            case .unbound:
                #expect(truncatedCount > 0 && streamCount == truncatedCount)
            }
        }

        /// With a limit of one response a second both resolvers still get all their answers: BIND
        /// has learned a cookie with the first, unbound comes over TCP.
        @Test(arguments: Resolver.Kind.allCases)
        func serverThatLimits(_ kind: Resolver.Kind) throws {
            let server = try TestWorld.server(
                arguments: ["--rrl-rate", "1", "--rrl-slip", "1"])
            let resolver = try Resolver(
                kind, stubs: [.init(zone: TestWorld.zoneName)], port: server.port)
            // Names that do not exist are of one kind.
            for number in 0..<20 {
                let message = try #require(resolver.ask("no\(number).\(TestWorld.zoneName)"))
                #expect(message.codeName == "NXDOMAIN")
            }
            switch kind {
            case .bind:
                #expect(try server.counter("with good server cookie") > 0)
                #expect(try server.counter("TCP queries") == 0)
            case .unbound:
                #expect(try server.counter("rate limited, slipped") > 0)
                #expect(try server.counter("TCP queries") > 0)
            }
        }

        /// Too large for a datagram: truncated there, and fetched over TCP by the resolver.
        @Test(arguments: Resolver.Kind.allCases)
        func truncatedAnswer(_ kind: Resolver.Kind) throws {
            let server = try TestWorld.server()
            let resolver = try Resolver(
                kind, stubs: [.init(zone: TestWorld.zoneName)], port: server.port)
            for (name, count) in [("big", 10), ("huge", 40)] {
                let name = "\(name).\(TestWorld.zoneName)"
                let message = try #require(resolver.ask(name, .txt, overStream: true))
                #expect(Set(message.answers.map(\.rdata)).count == count)
                // The resolver has the same limit towards its client.
                #expect(try #require(resolver.ask(name, .txt)).isTruncated)
            }
            #expect(try server.counter("truncated") == 2)
            #expect(try server.counter("TCP queries") == 2)
        }

        /// unbound draws the case of every letter and wants it back ("0x20"); what does not match
        /// it asks again elsewhere, and says so in its log.
        @Test func randomCaseComesBack() throws {
            let server = try TestWorld.server()
            let resolver = try Resolver(
                .unbound, stubs: [.init(zone: TestWorld.zoneName)], port: server.port,
                .init(lines: ["use-caps-for-id: yes", "verbosity: 4"]))
            try Self.check(Self.questions, resolver)
            #expect(!resolver.process.text.localizedCaseInsensitiveContains("capsforid"))

            let message = try #require(server.client.ask("aPp.GsLb.eXaMpLe.CoM"))
            #expect(message.question?.name.wire == DomainName("aPp.GsLb.eXaMpLe.CoM")?.wire)
            // The owner is a pointer to the question.
            #expect(message.answers[0].owner.wire == message.question?.name.wire)
        }
    }
}
