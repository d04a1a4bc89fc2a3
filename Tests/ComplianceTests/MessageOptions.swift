import DNSWire
import TestSupport

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
