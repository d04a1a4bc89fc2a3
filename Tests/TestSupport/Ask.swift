package import DNSWire

/// A query put together bit by bit, also as no client would.
package struct Ask: Sendable {
    package var name: String
    package var type: RRType
    package var `class`: UInt16
    package var opcode: UInt16
    /// Header flags beside the opcode, as in the 16 bits after the identifier.
    package var flags: UInt16
    package var hasQuestion: Bool
    package var edns: EDNSPart?

    package init(
        name: String = "example.com", type: RRType = .soa, class: UInt16 = 1, opcode: UInt16 = 0,
        flags: UInt16 = 0, hasQuestion: Bool = true, edns: EDNSPart? = nil
    ) {
        self.name = name
        self.type = type
        self.class = `class`
        self.opcode = opcode
        self.flags = flags
        self.hasQuestion = hasQuestion
        self.edns = edns
    }

    package struct EDNSPart: Sendable {
        package var payload: UInt16
        package var version: UInt8
        package var flags: UInt16
        package var options: [Option]

        package init(
            payload: UInt16 = 4096, version: UInt8 = 0, flags: UInt16 = 0, options: [Option] = []
        ) {
            self.payload = payload
            self.version = version
            self.flags = flags
            self.options = options
        }
    }

    package struct Option: Sendable, Hashable {
        package var code: UInt16
        package var data: [UInt8]

        package init(code: UInt16, data: [UInt8] = []) {
            self.code = code
            self.data = data
        }
    }

    package static let identifier: UInt16 = 0x1c05

    package func bytes() throws -> [UInt8] {
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
