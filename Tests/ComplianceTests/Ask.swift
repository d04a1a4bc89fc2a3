import DNSWire

/// A query put together bit by bit, also as no client would.
struct Ask: Sendable {
    var name = "example.com"
    var type = RRType.soa
    var `class`: UInt16 = 1
    var opcode: UInt16 = 0
    /// Header flags beside the opcode, as in the 16 bits after the identifier.
    var flags: UInt16 = 0
    var hasQuestion = true
    var edns: EDNSPart?

    struct EDNSPart: Sendable {
        var payload: UInt16 = 4096
        var version: UInt8 = 0
        var flags: UInt16 = 0
        var options: [Option] = []
    }

    struct Option: Sendable, Hashable {
        var code: UInt16
        var data: [UInt8] = []
    }

    static let identifier: UInt16 = 0x1c05

    func bytes() throws -> [UInt8] {
        guard let owner = DomainName(name) else { throw BadName(name: name) }
        var bytes = two(Ask.identifier) + two(opcode << 11 | flags)
        bytes += two(hasQuestion ? 1 : 0) + [0, 0, 0, 0] + two(edns == nil ? 0 : 1)
        if hasQuestion { bytes += owner.wire + two(type.rawValue) + two(`class`) }
        guard let edns else { return bytes }
        let options = edns.options.flatMap { two($0.code) + two(UInt16($0.data.count)) + $0.data }
        return bytes + [0] + two(RRType.opt.rawValue) + two(edns.payload) + [0, edns.version]
            + two(edns.flags) + two(UInt16(options.count)) + options
    }

    struct BadName: Error { var name: String }

    private func two(_ value: UInt16) -> [UInt8] {
        [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
    }
}

extension Message {
    var opcode: UInt16 { flags >> 11 & 0xf }
    var opt: Record? { additionals.first { $0.type == .opt } }
    var ednsVersion: UInt8? { opt.map { UInt8(truncatingIfNeeded: $0.ttl >> 16) } }
    var ednsFlags: UInt16? { opt.map { UInt16(truncatingIfNeeded: $0.ttl) } }

    /// The options of the OPT record, in their order.
    var options: [Ask.Option] {
        var options: [Ask.Option] = []
        var rest = (opt?.rdata ?? [])[...]
        func two(_ at: Int) -> Int {
            Int(rest[rest.startIndex + at]) << 8 | Int(rest[rest.startIndex + at + 1])
        }
        while rest.count >= 4, rest.count >= 4 + two(2) {
            let end = rest.startIndex + 4 + two(2)
            options.append(
                Ask.Option(code: UInt16(two(0)), data: Array(rest[(rest.startIndex + 4)..<end])))
            rest = rest[end...]
        }
        return options
    }

    func option(_ code: UInt16) -> [UInt8]? { options.first { $0.code == code }?.data }
}
