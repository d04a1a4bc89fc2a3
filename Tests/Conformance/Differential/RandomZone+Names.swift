import DNSWire
import TestSupport

extension RandomZone {
    /// Labels that are drawn again and again, so that names nest; some of bytes no host name has.
    static let labels: [[UInt8]] =
        [
            "a", "b", "c", "a", "b", "www", "mail", "_sip", "_tcp", "*", "x.y", "a*", "\\\";@$()",
            "MiXed", "0", "-",
        ].map { Array($0.utf8) } + [
            [0], [0xff, 0x20], [UInt8](repeating: UInt8(ascii: "l"), count: 63),
        ]

    static let unknownType = RRType(rawValue: 65280)

    static let dataTypes: [RRType] = [
        .a, .a, .aaaa, .txt, .mx, .srv, .ptr, .caa, unknownType,
    ]

    /// At the apex or below.
    mutating func name() -> DomainName {
        var name = origin
        for _ in 0..<random.pick([0, 1, 1, 1, 2, 2, 3, 4]) {
            name = name.prepending(random.pick(RandomZone.labels)) ?? name
        }
        return name
    }

    /// 250 to 255 bytes on the wire (RFC 1035 §2.3.4).
    mutating func longName(below start: DomainName? = nil) -> DomainName {
        var name = start ?? origin
        let byteCount = random.number(250...255)
        while name.wire.count + 1 < byteCount {
            let missing = byteCount - name.wire.count - 1
            // What is left after a label must hold another one.
            let count = missing <= 63 ? missing : min(63, missing - 2)
            let letter = random.pick(Array("lmn".utf8))
            guard let longer = name.prepending([UInt8](repeating: letter, count: count))
            else { break }
            name = longer
        }
        return name
    }

    func relative(_ label: String) -> DomainName {
        origin.prepending(Array(label.utf8)) ?? origin
    }

    /// Where a name in RDATA may lead: to something there, below or beside it, into the zone below,
    /// or out of the zone.
    mutating func target() -> DomainName {
        switch random.number(0...11) {
        case 0: return DomainName("www.elsewhere.test.") ?? origin
        case 1: return name()
        case 2: return relative("nothing")
        case 3, 4: return random.pick(owners).prepending(random.pick(RandomZone.labels)) ?? origin
        case 5, 6: return child.map { random.pick($0.owners) } ?? random.pick(owners)
        default: return random.pick(owners)
        }
    }

    mutating func rdata(_ type: RRType) -> String {
        func byte() -> Int { random.number(0...255) }
        switch type {
        case .a: return "192.0.2.\(byte())"
        case .aaaa: return "2001:db8::\(String(byte(), radix: 16))"
        case .txt:
            let letters = (0..<random.number(0...20)).map { _ in UInt8(byte()) }
            return "\"\(escaped(letters))\" \"x\""
        case .mx: return "\(byte()) \(presentation(target()))"
        case .srv: return "\(byte()) \(byte()) \(byte()) \(presentation(target()))"
        case .caa: return "0 issue \"ca\(byte()).example.test\""
        case .ns, .cname, .ptr: return presentation(target())
        default:
            let bytes = (0..<random.number(0...9)).map { _ in byte() }
            let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            return "\\# \(bytes.count) \(digits)"
        }
    }

    func presentation(_ name: DomainName) -> String {
        name.isRoot ? "." : name.labels.map { escaped(Array($0)) + "." }.joined()
    }

    /// Letters, digits and what host names have as they are; the rest as `\DDD` (RFC 1035 §5.1).
    private func escaped(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            let character = Unicode.Scalar(byte)
            if byte < 0x80,
                character.properties.isAlphabetic
                    || "0123456789-_*".unicodeScalars.contains(character)
            {
                text.unicodeScalars.append(character)
            } else {
                let digits = "\(byte)"
                text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return text
    }
}
