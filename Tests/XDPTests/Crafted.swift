import Addressing
import TestSupport

/// Frames from the far end of the cable, and who is to answer them.
struct Crafted: Sendable {
    enum Answer: Equatable, Sendable {
        case xdp, kernel, nobody
    }

    static let server4 = IPAddress(ipv4: 0x0a63_0101)
    static let server6 = IPAddress(ipv6: 0x2001_0db8 << 96 | 1)

    var name: String
    /// Sent one after the other.
    var frames: [[UInt8]]
    var answer: Answer

    static func plain(_ family: IPAddress.Family, payload: [UInt8]) -> WireFrame {
        family == .ipv4
            ? WireFrame(from: IPAddress(ipv4: 0x0a63_0102), to: server4, payload: payload)
            : WireFrame(from: IPAddress(ipv6: 0x2001_0db8 << 96 | 2), to: server6, payload: payload)
    }

    /// What it asks is its name: an answer tells which query it belongs to.
    static let all = all(asking: nil)

    /// The same with `payload` in all of them.
    static func all(asking payload: [UInt8]?) -> [Crafted] {
        let maker = Maker(payload: payload)
        return [.ipv4, .ipv6].flatMap(maker.both) + maker.ipv4 + maker.ipv6
    }
}

/// Makes all crafted frames.
private struct Maker {
    /// Nil: the name of the frame.
    var payload: [UInt8]?

    private func crafted(
        _ name: String, _ family: IPAddress.Family, _ answer: Crafted.Answer,
        _ change: (inout WireFrame) -> Void = { _ in }
    ) -> Crafted {
        let whole = "\(name), \(family)"
        var frame = Crafted.plain(family, payload: payload ?? Array(whole.utf8) + [0, 0, 0, 0])
        change(&frame)
        return Crafted(name: whole, frames: [frame.bytes], answer: answer)
    }

    func both(_ family: IPAddress.Family) -> [Crafted] {
        [
            crafted("plain query", family, .xdp),
            crafted("odd query", family, .xdp) { $0.payload.append(1) },
            crafted("query in padding", family, .xdp) {
                $0.padding = [UInt8](repeating: 9, count: 30)
            },
            crafted("bytes behind UDP", family, .xdp) {
                $0.udpByteCount = UInt16(8 + $0.payload.count)
                $0.packetByteCount = UInt16((family == .ipv4 ? 28 : 8) + $0.payload.count + 6)
                $0.padding = [1, 2, 3, 4, 5, 6]
            },
            crafted("unfinished checksum", family, .xdp) { $0.udpChecksum = 0x1234 },
            crafted("long query", family, .xdp) {
                $0.payload += [UInt8](repeating: 5, count: 1300)
            },
            crafted("shorter than a header", family, .kernel) { $0.payload = [1, 2, 3] },
            crafted("VLAN 7", family, .nobody) { $0.tags = [0x81, 0, 0, 7] },
            crafted("two tags", family, .nobody) { $0.tags = [0x88, 0xa8, 0, 7, 0x81, 0, 0, 7] },
            crafted("another port", family, .nobody) { $0.destinationPort = 5353 },
            crafted("another machine", family, .nobody) { $0.receiver = 0x0200_0000_0077 },
            crafted("port 0", family, .nobody) { $0.sourcePort = 0 },
            crafted("sent to itself", family, .nobody) { $0.source = $0.destination },
            crafted("UDP too long", family, .nobody) { $0.udpByteCount = 999 },
            crafted("UDP too short", family, .nobody) { $0.udpByteCount = 7 },
            crafted("IP too long", family, .nobody) { $0.packetByteCount = 999 },
        ]
    }

    var ipv4: [Crafted] {
        [
            crafted("options", .ipv4, .kernel) { $0.options = [1, 1, 1, 0] },
            crafted("our other address", .ipv4, .kernel) {
                $0.destination = IPAddress(ipv4: 0x0a63_0103)
            },
            crafted("not our address", .ipv4, .nobody) {
                $0.destination = IPAddress(ipv4: 0x0a63_0109)
            },
            crafted("no UDP checksum", .ipv4, .xdp) { $0.udpChecksum = 0 },
            crafted("header checksum", .ipv4, .nobody) { $0.headerChecksum = 0x1234 },
            crafted("loopback", .ipv4, .nobody) { $0.source = IPAddress(ipv4: 0x7f00_0001) },
            crafted("from a group", .ipv4, .nobody) { $0.source = IPAddress(ipv4: 0xe000_0001) },
            crafted("from everybody", .ipv4, .nobody) { $0.source = IPAddress(ipv4: 0xffff_ffff) },
            fragments,
        ]
    }

    var ipv6: [Crafted] {
        [
            crafted("hop-by-hop", .ipv6, .kernel) {
                $0.transport = 0
                $0.options = [17, 0, 1, 4, 0, 0, 0, 0]
            },
            crafted("destination options", .ipv6, .kernel) {
                $0.transport = 60
                $0.options = [17, 0, 1, 4, 0, 0, 0, 0]
            },
            crafted("atomic fragment", .ipv6, .kernel) {
                $0.transport = 44
                $0.options = [17, 0, 0, 0, 0, 0, 0, 1]
            },
            crafted("no UDP checksum", .ipv6, .nobody) { $0.udpChecksum = 0 },
            crafted("from ::1", .ipv6, .nobody) { $0.source = IPAddress(ipv6: 1) },
            crafted("from a group", .ipv6, .nobody) {
                $0.source = IPAddress(ipv6: 0xff02 << 112 | 1)
            },
            crafted("IPv4 in IPv6", .ipv6, .nobody) {
                $0.source = IPAddress(ipv6: 0xffff_0a63_0102)
            },
        ]
    }

    /// A query in two fragments; the kernel puts them together.
    private var fragments: Crafted {
        var whole = crafted("in two fragments", .ipv4, .kernel)
        let datagram = Array(whole.frames[0].dropFirst(34))
        let cut = 16
        whole.frames = [(0, 0x2000), (cut, UInt16(cut / 8))].map { start, field in
            let part = start == 0 ? datagram[..<cut] : datagram[cut...]
            // The part as what WireFrame takes for UDP's header and payload.
            var frame = Crafted.plain(.ipv4, payload: Array(part.dropFirst(8)))
            frame.fragment = field
            var bytes = frame.bytes
            bytes.replaceSubrange(34..., with: part)
            return bytes
        }
        return whole
    }
}
