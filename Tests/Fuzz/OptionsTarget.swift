import Addressing
import DNSWire
import Responder

extension FuzzTarget {
    /// A good question with an OPT record whose options the input makes up: well-formed ones of
    /// every kind, and such that lie about their length or content.
    static let options = FuzzTarget(
        name: "options", byteCountMax: 500,
        seeds: {
            (0..<FuzzServer.names.count).map { index in
                var seed: [UInt8] = [UInt8(index), UInt8(index % 7), UInt8(index % 8)]
                seed += index % 3 == 0 ? [0, 0] : [4, 208]
                seed += [0, 0, 0]
                seed += [UInt8(index % 12), 9, 24, 0, 203, 0, 113, 1, 2, 3, 4]
                return seed + [UInt8(index % 5), 4, 1, 2, 3, 4]
            }
        },
        fault: { input in
            var reader = InputReader(input)
            let question = OptionsQuery(&reader)
            let server = FuzzServer.shared
            let (response, fault) = server.judge(
                question.message, from: question.client, over: question.channel)
            return fault ?? question.fault(of: response)
        })
}

/// A query with options, and what its answer must say about them.
private struct OptionsQuery {
    var client: IPAddress
    var channel: Channel
    private(set) var message: [UInt8]
    private var version: UInt8
    private var rdata: [UInt8] = []
    private var recordCount = 1

    init(_ input: inout InputReader) {
        let name = input.pick(FuzzServer.names)
        let type = input.pick(FuzzServer.types)
        let choice = input.byte()
        client = FuzzServer.clients[Int(choice) % 4]
        channel = choice & 4 == 0 ? .datagram : .stream
        let payload = input.uint16()
        version = input.byte() & 1 == 0 ? 0 : 1
        let flags = input.uint16()
        message = Message.query(name, type, identifier: 1, payloadByteCountMax: payload)
        message.removeLast(11)
        while !input.isAtEnd { appendOption(&input) }
        let opt = OptionsQuery.opt(payload, version, flags, rdata)
        message += opt
        if choice & 0xf8 == 0xf8 {
            message += opt
            recordCount = 2
        } else if choice & 0xf8 == 0xf0 {
            // Another record behind it, which nobody asked for.
            message += [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1]
            recordCount = 2
        }
        message[11] = UInt8(recordCount)
        hasTwoOPTs = recordCount == 2 && choice & 0xf8 == 0xf8
    }

    private var hasTwoOPTs = false

    private static func opt(
        _ payload: UInt16, _ version: UInt8, _ flags: UInt16, _ rdata: [UInt8]
    ) -> [UInt8] {
        [0] + two(41) + two(Int(payload)) + [0, version] + two(Int(flags)) + two(rdata.count)
            + rdata
    }

    private static func two(_ value: Int) -> [UInt8] {
        [UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    private mutating func append(_ code: Int, _ data: [UInt8]) {
        rdata += OptionsQuery.two(code) + OptionsQuery.two(data.count) + data
    }

    private mutating func appendOption(_ input: inout InputReader) {
        let kind = input.byte() % 12
        let data = input.bytes(Int(input.byte() % 64))
        switch kind {
        case 0: append(3, data)
        case 1: appendSubnet(data)
        case 2: append(8, data)
        case 3: append(10, Array((data + [UInt8](repeating: 7, count: 8)).prefix(8)))
        case 4: append(10, serverCookie(data))
        case 5: append(10, data)
        case 6: append(11, data.count % 2 == 0 ? [] : data)
        case 7: append(12, data)
        case 8: append(Int(data.first ?? 0) << 8 | data.count, data)
        case 9:  // Its length is not that of what follows.
            rdata += [0, 3, 0, UInt8(data.first ?? 1)] + data.dropFirst()
        case 10: rdata += data
        default: append(15, data)
        }
    }

    /// As RFC 7871 §6 has it: bits past the prefix are zero.
    private mutating func appendSubnet(_ data: [UInt8]) {
        let isIPv6 = (data.first ?? 0) & 0x80 != 0
        let length = Int(data.first ?? 0) & 0x7f % (isIPv6 ? 129 : 33)
        let width = isIPv6 ? 16 : 4
        guard length <= width * 8 else { return }
        var address = Array((data.dropFirst() + [UInt8](repeating: 0x20, count: 16)).prefix(width))
        address.removeLast(width - (length + 7) / 8)
        if length % 8 != 0, let last = address.popLast() {
            address.append(last & ~(0xff >> UInt8(length % 8)))
        }
        append(8, [0, isIPv6 ? 2 : 1, UInt8(length), 0] + address)
    }

    /// A cookie that the server has made for this client.
    private func serverCookie(_ data: [UInt8]) -> [UInt8] {
        let bytes = Array((data + [UInt8](repeating: 9, count: 8)).prefix(8))
        let front: [UInt8] =
            [1, 0, 0, 0]
            + (0..<4).map { UInt8(truncatingIfNeeded: FuzzServer.now >> UInt32(24 - 8 * $0)) }
        func word(_ bytes: [UInt8]) -> UInt64 {
            bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let hash = FuzzServer.cookieSecret.hash(
            client: word(bytes), front: word(front), address: client)
        return bytes + front + (0..<8).map { UInt8(truncatingIfNeeded: hash >> UInt64(8 * $0)) }
    }

    // MARK: - What must come back

    /// False when RFC 6891, 7871 or 7873 call something in the OPT record malformed.
    private var isWellFormed: Bool {
        guard let options = WireMessage.options(rdata) else { return false }
        return options.allSatisfy { option in
            switch option.code {
            case 8: isSubnet(option.data)
            case 10: option.data.count == 8 || (16...40).contains(option.data.count)
            default: true
            }
        }
    }

    private func isSubnet(_ data: [UInt8]) -> Bool {
        guard data.count >= 4, data[0] == 0, data[1] <= 2, data[3] == 0 else { return false }
        let bits = data[1] == 0 ? 0 : data[1] == 1 ? 32 : 128
        let length = Int(data[2])
        guard length <= bits, data.count == 4 + (length + 7) / 8 else { return false }
        return length % 8 == 0 || (data.last ?? 0) & (0xff >> UInt8(length % 8)) == 0
    }

    func fault(of response: [UInt8]) -> String? {
        guard let answer = try? WireMessage(response) else { return "no answer" }
        let code = answer.responseCode
        if hasTwoOPTs || version == 0 && !isWellFormed {
            return code == 1 ? nil : "RCODE \(code) for malformed options \(rdata)"
        }
        guard let opt = answer.opt else { return "no OPT for \(rdata)" }
        if version != 0 { return code == 16 ? nil : "RCODE \(code) for version \(version)" }
        if code == 1 || code == 16 { return "RCODE \(code) for good options \(rdata)" }
        let asked = WireMessage.options(rdata) ?? []
        let given = WireMessage.options(opt.rdata) ?? []
        for option in given {
            guard asked.contains(where: { $0.code == option.code }) || option.code == 15
            else { return "option \(option.code) that nobody asked for" }
            if option.code == 11, channel == .datagram { return "keepalive over UDP" }
            if option.code == 12 { return "padding without encryption" }
        }
        return subnetFault(asked, given) ?? cookieFault(asked, given, code)
    }

    /// The first client subnet comes back with its scope (RFC 7871 §7.2.1).
    private func subnetFault(
        _ asked: [(code: UInt16, data: [UInt8])], _ given: [(code: UInt16, data: [UInt8])]
    ) -> String? {
        guard let subnet = asked.first(where: { $0.code == 8 })?.data else { return nil }
        guard var back = given.first(where: { $0.code == 8 })?.data, back.count >= 4
        else { return "the client subnet does not come back" }
        let scope = back[3]
        back[3] = 0
        guard back == subnet else { return "client subnet \(subnet) comes back as \(back)" }
        guard scope <= (subnet[1] == 2 ? 128 : 32), subnet[2] > 0 || scope == 0
        else { return "scope \(scope) for \(subnet)" }
        return nil
    }

    /// The first client cookie comes back with a server cookie of RFC 9018, and one made by this
    /// server is good.
    private func cookieFault(
        _ asked: [(code: UInt16, data: [UInt8])], _ given: [(code: UInt16, data: [UInt8])],
        _ code: UInt16
    ) -> String? {
        guard let cookie = asked.first(where: { $0.code == 10 })?.data else { return nil }
        guard let back = given.first(where: { $0.code == 10 })?.data, back.count == 24,
            back[..<8] == cookie[..<8]
        else { return "the cookie does not come back" }
        guard back == serverCookie(Array(cookie[..<8])) else { return "a wrong server cookie" }
        if cookie == back, code == 23 { return "BADCOOKIE for a good cookie" }
        return nil
    }
}
