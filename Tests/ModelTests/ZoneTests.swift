import DNSWire
import TestSupport
import Testing

/// Random zones, thousands of questions, each answered twice: by the responder and by a dictionary.
@Suite struct ZonesAgainstTheModel {
    private static let seeds: [UInt64] = Array(0..<20)
    private static let zonesPerSeed = 40
    private static let questionsPerZone = 40

    @Test(arguments: seeds) func randomZones(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x1034)
        for number in 0..<ZonesAgainstTheModel.zonesPerSeed {
            let (model, text) = ZoneModel.random(&random)
            let world = try load([("example.com", text)])
            var asker = Asker(world.snapshot())
            let here = "seed \(seed), zone \(number)"
            for _ in 0..<ZonesAgainstTheModel.questionsPerZone {
                let name = model.question(&random)
                let type = random.pick(ZoneModel.questionTypes)
                let question = try #require(DomainName(wire: ZoneModel.wire(name)))
                let message = try asker.ask(question, type)
                let expected = model.respond(name.map { $0.map(ZoneModel.lower) }, type)
                try compare(
                    message, expected, "\(here): \(question) \(type)\n\(text)")
            }
        }
    }

    private func compare(
        _ message: Message, _ expected: ZoneModel.Response, _ comment: Comment
    ) throws {
        #expect(message.responseCode == expected.code.rawValue, comment)
        #expect(message.isAuthoritative == expected.isAuthoritative, comment)
        #expect(!message.isTruncated, comment)
        let answers = records(message.answers)
        if expected.oneOf.isEmpty {
            #expect(answers == canonical(expected.answers), comment)
        } else {
            #expect(expected.oneOf.values.contains { canonical($0) == answers }, comment)
        }
        #expect(records(message.authorities) == canonical(expected.authorities), comment)
        let additionals = message.additionals.filter { $0.type != .opt }
        #expect(records(additionals) == canonical(expected.additionals), comment)
        // No record twice.
        #expect(answers.count == message.answers.count, comment)
        #expect(Set(additionals).count == additionals.count, comment)
    }

    private func records(_ records: [Message.Record]) -> Set<ZoneModel.Record> {
        canonical(
            Set(
                records.map { record in
                    ZoneModel.Record(
                        owner: ZoneModel.name(record.owner.wire), type: record.type,
                        ttl: record.ttl, rdata: record.rdata)
                }))
    }

    /// A compressed name may come back in the case of the name it points to.
    private func canonical(_ records: Set<ZoneModel.Record>) -> Set<ZoneModel.Record> {
        Set(
            records.map { record in
                var record = record
                if record.type.compressibleNames != nil {
                    record.rdata = record.rdata.map(ZoneModel.lower)
                }
                return record
            })
    }

    /// The model itself must not be of one mind only: the zones reach every kind of answer.
    @Test func theZonesHaveEveryKindOfAnswer() {
        var random = SeededGenerator(seed: 1034)
        var kinds: [String: Int] = [:]
        for _ in 0..<200 {
            let (model, _) = ZoneModel.random(&random)
            for _ in 0..<40 {
                let name = model.question(&random).map { $0.map(ZoneModel.lower) }
                let response = model.respond(name, random.pick(ZoneModel.questionTypes))
                kinds[kind(response, model, name), default: 0] += 1
            }
        }
        for kind in [
            "answer", "wildcard", "CNAME, then answer", "CNAME, then NODATA",
            "CNAME, then NXDOMAIN",
            "NODATA", "NXDOMAIN", "referral", "referral with glue", "REFUSED", "empty non-terminal",
        ] {
            #expect(kinds[kind, default: 0] >= 10, "\(kind): \(kinds)")
        }
    }

    private func kind(
        _ response: ZoneModel.Response, _ model: ZoneModel, _ name: ZoneModel.Name
    ) -> String {
        if response.code == .refused { return "REFUSED" }
        if !response.isAuthoritative {
            return response.additionals.isEmpty ? "referral" : "referral with glue"
        }
        let prefix = response.answers.contains { $0.type == .cname } ? "CNAME, then " : ""
        if response.code == .nameError { return prefix + "NXDOMAIN" }
        if response.authorities.isEmpty {
            return prefix.isEmpty && !model.exists(name) ? "wildcard" : prefix + "answer"
        }
        let isEmptyNonTerminal = model.names[name] == nil && model.exists(name)
        return prefix + (isEmptyNonTerminal ? "empty non-terminal" : "NODATA")
    }
}

@Suite struct Descriptors {
    /// What the responder compresses follows from the table of types.
    @Test(arguments: RRTypeDescriptor.all.map(\.type)) func compressibleNames(_ type: RRType) throws
    {
        let fields = try #require(RRTypeDescriptor.of(type)).fields
        var offset = 0
        var count = 0
        for field in fields {
            switch field {
            case .compressibleName: count += 1
            case .uint8 where count == 0: offset += 1
            case .uint16 where count == 0: offset += 2
            case .uint32 where count == 0, .duration where count == 0, .ipv4 where count == 0:
                offset += 4
            case .ipv6 where count == 0: offset += 16
            default: break
            }
        }
        let names = type.compressibleNames
        #expect(names?.count ?? 0 == count)
        if let names { #expect(names.offset == offset) }
        // Names of one type stand side by side, or an offset and a count could not say where.
        let positions = fields.indices.filter {
            if case .compressibleName = fields[$0] { true } else { false }
        }
        #expect(zip(positions, positions.dropFirst()).allSatisfy { $0 + 1 == $1 })
    }

    /// RFC 3597 §4: only the types of RFC 1035 may be compressed.
    @Test func noLaterTypeIsCompressed() {
        let compressed = (UInt16(17)...65535).filter {
            RRType(rawValue: $0).compressibleNames != nil
        }
        #expect(compressed == [])
    }
}
