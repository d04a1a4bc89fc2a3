import DNSWire
import TestSupport

extension ZoneModel {
    static let exampleCom: Name = [Array("example".utf8), Array("com".utf8)]

    /// Labels that are drawn again and again, so that names nest, some of bytes no host name has.
    private static let labels: [[UInt8]] = [
        Array("a".utf8), Array("b".utf8), Array("c".utf8), Array("*".utf8), Array("*".utf8),
        Array("x.y".utf8), [0], [0xff, 0x20], Array("a*".utf8), Array("\\\";@$()".utf8),
        Array(repeating: UInt8(ascii: "l"), count: 63),
    ]

    /// A zone of random names, and its file.
    static func random(_ random: inout SeededGenerator) -> (model: ZoneModel, text: String) {
        var model = ZoneModel(apex: exampleCom, negativeTTL: 60)
        model.addApex()
        for _ in 0..<random.number(3...25) {
            let name = random.number(0...11) == 0 ? longName(&random) : name(&random)
            model.addRecords(at: name, &random)
        }
        return (model, model.text(&random))
    }

    /// Below the apex or the apex itself.
    static func name(_ random: inout SeededGenerator) -> Name {
        (0..<random.number(0...4)).map { _ in random.pick(labels) } + exampleCom
    }

    /// 250 to 255 bytes on the wire.
    private static func longName(_ random: inout SeededGenerator) -> Name {
        let long = [UInt8](repeating: UInt8(ascii: "l"), count: 63)
        let rest = [UInt8](repeating: UInt8(ascii: "m"), count: random.number(44...49))
        return [rest, long, long, long] + exampleCom
    }

    private mutating func addApex() {
        let (ns1, hostmaster) = (Array("ns1".utf8), Array("hostmaster".utf8))
        let soa =
            ZoneModel.wire([ns1] + apex) + ZoneModel.wire([hostmaster] + apex)
            + [1, 7200, 1800, 1_209_600, 60].flatMap(ZoneModel.bytes)
        add(.soa, RRset(ttl: 3600, rdata: [soa]), at: apex)
        add(.ns, RRset(ttl: 3600, rdata: [ZoneModel.wire([ns1] + apex)]), at: apex)
        add(.a, RRset(ttl: 3600, rdata: [[192, 0, 2, 53]]), at: [ns1] + apex)
    }

    private static func bytes(_ number: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private mutating func addRecords(at name: Name, _ random: inout SeededGenerator) {
        let here = names[name] ?? [:]
        guard here[.cname] == nil else { return }
        if here.isEmpty, random.number(0...3) == 0 {
            add(.cname, rrset(.cname, &random), at: name)
            return
        }
        var types: [RRType] = [.a, .aaaa, .txt, .mx, .srv, .ptr, RRType(rawValue: 65280)]
        // A delegation of a wildcard means nothing that RFC 4592 would tell (§4.2).
        if name != apex, name.first != [UInt8(ascii: "*")] { types += [.ns, .ns] }
        // One beside a delegation is an error; a wildcard one RFC 6672 §3.3 advises against.
        if here[.ns] == nil || name == apex, name.first != [UInt8(ascii: "*")],
            random.number(0...2) == 0
        {
            types = name == apex ? types : [.dname]
        }
        if here[.dname] != nil { types.removeAll { $0 == .ns } }
        let type = random.pick(types)
        guard here[type] == nil else { return }
        add(type, rrset(type, &random), at: name)
    }

    private func rrset(_ type: RRType, _ random: inout SeededGenerator) -> RRset {
        let count = type == .cname || type == .dname ? 1 : random.number(1...3)
        return RRset(
            ttl: UInt32(random.number(1...100_000)),
            rdata: Set((0..<count).map { _ in rdata(type, &random) }))
    }

    private func rdata(_ type: RRType, _ random: inout SeededGenerator) -> [UInt8] {
        // Mostly where something is, often below a name that exists, sometimes elsewhere.
        let target = ZoneModel.wire(target(&random))
        func number() -> [UInt8] { [0, UInt8(random.number(0...255))] }
        switch type {
        case .a: return [192, 0, 2, UInt8(random.number(0...255))]
        case .aaaa:
            return [0x20, 1, 0x0d, 0xb8] + (0..<12).map { _ in UInt8(random.number(0...255)) }
        case .txt: return [3] + (0..<3).map { _ in UInt8(random.number(0...255)) }
        case .mx: return number() + target
        case .srv: return number() + number() + number() + target
        case .cname, .dname, .ns, .ptr: return target
        default: return (0..<random.number(0...9)).map { _ in UInt8(random.number(0...255)) }
        }
    }

    private func target(_ random: inout SeededGenerator) -> Name {
        switch random.number(0...4) {
        case 0: return [Array("www".utf8), Array("example".utf8), Array("net".utf8)]
        case 1: return ZoneModel.name(&random)
        case 2:
            let parent = random.pick(owners)
            let child = [random.pick(ZoneModel.labels)] + parent
            return ZoneModel.wire(child).count <= 255 ? child : parent
        default: return random.pick(owners)
        }
    }

    // MARK: - As a zone file

    /// Records in any order; the same record twice now and then, which is only warned of.
    private func text(_ random: inout SeededGenerator) -> String {
        var lines: [String] = []
        for name in owners {
            for (type, rrset) in names[name, default: [:]].sorted(by: {
                $0.key.rawValue < $1.key.rawValue
            }) {
                for rdata in rrset.rdata.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                    let owner = ZoneModel.text(name, &random)
                    let line = "\(owner) \(rrset.ttl) \(type) \(text(type, rdata, &random))"
                    lines.append(line)
                    if random.number(0...19) == 0, type != .cname, type != .dname, type != .soa {
                        lines.append(line)
                    }
                }
            }
        }
        return lines.shuffled(using: &random).joined(separator: "\n") + "\n"
    }

    private func text(_ type: RRType, _ rdata: [UInt8], _ random: inout SeededGenerator) -> String {
        func number(_ offset: Int) -> Int { Int(rdata[offset]) << 8 | Int(rdata[offset + 1]) }
        func name(_ offset: Int) -> String {
            ZoneModel.text(ZoneModel.name(Array(rdata[offset...])), &random)
        }
        switch type {
        case .cname, .dname, .ns, .ptr: return name(0)
        case .mx: return "\(number(0)) \(name(2))"
        case .srv: return "\(number(0)) \(number(2)) \(number(4)) \(name(6))"
        case .soa:
            let first = ZoneModel.wire(ZoneModel.name(rdata)).count
            return "\(name(0)) \(name(first)) 1 2h 30m 2w 1m"
        default:
            // RFC 3597 §5, which every type may be written in.
            let digits = rdata.map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            return "\\# \(rdata.count) \(digits.joined())"
        }
    }

    // MARK: - Questions

    static let questionTypes: [RRType] = [
        .a, .a, .a, .aaaa, .txt, .mx, .cname, .ns, .soa, .srv, .ptr, .ds, .any, .dname,
        RRType(rawValue: 65280), RRType(rawValue: 65281),
    ]

    /// A name that is there, below or beside one that is, or anything; in any case of letters.
    func question(_ random: inout SeededGenerator) -> Name {
        let known = random.pick(owners)
        var name: Name
        switch random.number(0...9) {
        case 0: name = [Array("www".utf8), Array("example".utf8), Array("net".utf8)]
        case 1: name = Array(known.dropFirst())
        case 2, 3: name = [random.pick(ZoneModel.labels)] + known
        case 4: name = [random.pick(ZoneModel.labels), random.pick(ZoneModel.labels)] + known
        case 5: name = [random.pick(ZoneModel.labels)] + known.dropFirst()
        case 6: name = ZoneModel.name(&random)
        default: name = known
        }
        while ZoneModel.wire(name).count > 255 { name.removeFirst() }
        return name.map { label in
            label.map { (0x61...0x7a).contains($0) && Bool.random(using: &random) ? $0 - 32 : $0 }
        }
    }
}
