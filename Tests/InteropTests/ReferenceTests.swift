import DNSWire
import TestSupport
import Testing

extension Interop {
    /// The same zone file in BIND and in `geodnsd`, the same questions to both.
    @Suite(.needs(.named)) struct BesideBIND {
        /// BIND as primary for the static zone.
        private final class Reference {
            let process: RunningProcess
            let client: DNSClient
            private let folder: TemporaryFolder

            init() throws {
                folder = try TemporaryFolder()
                let file = try folder.write(StaticZone.text, to: "static.zone")
                for _ in 0..<3 {
                    let port = freePort(on: "127.0.0.1")
                    let process = try startNamed(
                        folder,
                        """
                        options {
                          \(namedFiles(in: folder.path))
                          listen-on port \(port) { 127.0.0.1; };
                          listen-on-v6 { none; };
                          recursion no;
                          dnssec-validation no;
                          minimal-responses yes;
                          max-cache-size 16m;
                          notify no;
                          zero-no-soa-ttl no;
                        };
                        controls { };
                        zone "\(StaticZone.origin)" {
                          type primary; file "\(file)"; check-names ignore;
                          check-integrity no; check-sibling no;
                        };

                        """)
                    if process.waitForOutput(" running\n") {
                        self.process = process
                        client = DNSClient(port: port)
                        return
                    }
                    process.stop()
                    guard process.text.contains("in use") else {
                        throw NotReady(description: process.text)
                    }
                }
                throw NotReady(description: "BIND found no free port")
            }

            deinit { process.stop() }
        }

        /// What of a response must be the same, one fact a line. Free are
        /// - the order of the records of an RRset, but not that of a chain (RFC 1034 §3.6.2);
        /// - the case of names that a pointer may stand for (RFC 4343 §4.1: "preservation of case
        ///   on output is NOT required when output is optimized by the use of indirect labels");
        /// - addresses that are no glue, because the zone itself answers for them (RFC 1034
        ///   §4.2.1): BIND adds them to the apex's NS records, we add them to a referral's;
        /// - the RCODE of a chain that comes round: RFC 1034 §3.6.2 wants it signalled "as an
        ///   error" without saying how. BIND says SERVFAIL; we say NOERROR and let the chain speak.
        private static func facts(_ message: Message) -> [String] {
            func lines(_ section: String, _ records: [Message.Record]) -> [String] {
                records.map { record in
                    var record = record
                    if record.type.compressibleNames != nil {
                        record.rdata = record.rdata.map(lowercased)
                    }
                    return "\(section) \(record.ttl) \(record.summary)"
                }
            }
            let chain = message.answers.filter { $0.type == .cname }
            let end = chain.last.flatMap { DomainName(wire: $0.rdata) }
            let comesRound = chain.contains { $0.owner == end }
            var facts = [comesRound ? "round" : message.codeName]
            if message.isAuthoritative { facts.append("aa") }
            facts += lines("chain", chain)
            facts += lines("answer", message.answers.filter { $0.type != .cname }).sorted()
            facts += lines("authority", message.authorities).sorted()
            let glue = message.additionals.filter {
                $0.type != .opt && $0.owner != DomainName("ns1.\(StaticZone.origin)")
            }
            facts += lines("glue", glue).sorted()
            return facts
        }

        @Test func sameAnswers() throws {
            let reference = try Reference()
            let server = try TestServer(zones: [("\(StaticZone.origin).zone", StaticZone.text)])
            var comparedCount = 0
            for name in StaticZone.names {
                let domain = try #require(DomainName(name), "\(name)")
                let queries = StaticZone.types.map {
                    Message.query(domain, $0, identifier: $0.rawValue)
                }
                let theirs = try responses(reference.client, queries)
                let ours = try responses(server.client, queries)
                for type in StaticZone.types {
                    let expected = try #require(theirs[type.rawValue], "\(name) \(type): BIND")
                    let found = try #require(ours[type.rawValue], "\(name) \(type): geodnsd")
                    #expect(Self.facts(found) == Self.facts(expected), "\(name) \(type)")
                    comparedCount += 1
                }
            }
            #expect(comparedCount > 1000)
        }

        /// What does not fit is left out whole, and TC says so (RFC 2181 §9).
        @Test(arguments: [512, 1232, 4096]) func sameTruncation(payloadByteCountMax: UInt16) throws
        {
            let reference = try Reference()
            let server = try TestServer(zones: [("\(StaticZone.origin).zone", StaticZone.text)])
            for name in ["large", "www", "x.child", "nothing"] {
                let domain = try #require(DomainName("\(name).\(StaticZone.origin)"))
                let query = Message.query(
                    domain, .txt, payloadByteCountMax: payloadByteCountMax)
                let theirs = try #require(reference.client.exchange(query).flatMap { Message($0) })
                let ours = try #require(server.client.exchange(query).flatMap { Message($0) })
                #expect(Self.facts(ours) == Self.facts(theirs))
                #expect(ours.isTruncated == theirs.isTruncated)
                #expect(ours.isTruncated == (name == "large"))
            }
        }

        /// By identifier: a server may answer the queries of a connection in any order (RFC 7766
        /// §6.2.1.1), and BIND does.
        private func responses(
            _ client: DNSClient, _ queries: [[UInt8]]
        ) throws -> [UInt16: Message] {
            var result: [UInt16: Message] = [:]
            for bytes in client.exchangeOverStream(queries) {
                let message = try #require(Message(bytes), "unreadable: \(bytes)")
                result[message.identifier] = message
            }
            return result
        }
    }
}
