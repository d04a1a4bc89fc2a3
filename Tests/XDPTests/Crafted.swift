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

    private init(
        _ name: String, _ family: IPAddress.Family, _ answer: Answer,
        _ change: (inout WireFrame) -> Void = { _ in }
    ) {
        self.name = "\(name), \(family)"
        self.answer = answer
        // What it asks is its name: an answer tells which query it belongs to.
        var frame = Crafted.plain(family, payload: Array("\(name), \(family)".utf8) + [0, 0, 0, 0])
        change(&frame)
        frames = [frame.bytes]
    }

    static let all: [Crafted] = [.ipv4, .ipv6].flatMap(both) + ipv4 + ipv6

    private static func both(_ family: IPAddress.Family) -> [Crafted] {
        [
            Crafted("plain query", family, .xdp),
            Crafted("odd query", family, .xdp) { $0.payload.append(1) },
            Crafted("query in padding", family, .xdp) {
                $0.padding = [UInt8](repeating: 9, count: 30)
            },
            Crafted("bytes behind UDP", family, .xdp) {
                $0.udpByteCount = UInt16(8 + $0.payload.count)
                $0.packetByteCount = UInt16((family == .ipv4 ? 28 : 8) + $0.payload.count + 6)
                $0.padding = [1, 2, 3, 4, 5, 6]
            },
            Crafted("unfinished checksum", family, .xdp) { $0.udpChecksum = 0x1234 },
            Crafted("long query", family, .xdp) {
                $0.payload += [UInt8](repeating: 5, count: 1300)
            },
            Crafted("shorter than a header", family, .kernel) { $0.payload = [1, 2, 3] },
            Crafted("VLAN 7", family, .nobody) { $0.tags = [0x81, 0, 0, 7] },
            Crafted("two tags", family, .nobody) { $0.tags = [0x88, 0xa8, 0, 7, 0x81, 0, 0, 7] },
            Crafted("another port", family, .nobody) { $0.destinationPort = 5353 },
            Crafted("another machine", family, .nobody) { $0.receiver = 0x0200_0000_0077 },
            Crafted("port 0", family, .nobody) { $0.sourcePort = 0 },
            Crafted("sent to itself", family, .nobody) { $0.source = $0.destination },
            Crafted("UDP too long", family, .nobody) { $0.udpByteCount = 999 },
            Crafted("UDP too short", family, .nobody) { $0.udpByteCount = 7 },
            Crafted("IP too long", family, .nobody) { $0.packetByteCount = 999 },
        ]
    }

    private static let ipv4: [Crafted] = [
        Crafted("options", .ipv4, .kernel) { $0.options = [1, 1, 1, 0] },
        Crafted("our other address", .ipv4, .kernel) {
            $0.destination = IPAddress(ipv4: 0x0a63_0103)
        },
        Crafted("not our address", .ipv4, .nobody) {
            $0.destination = IPAddress(ipv4: 0x0a63_0109)
        },
        Crafted("no UDP checksum", .ipv4, .xdp) { $0.udpChecksum = 0 },
        Crafted("header checksum", .ipv4, .nobody) { $0.headerChecksum = 0x1234 },
        Crafted("loopback", .ipv4, .nobody) { $0.source = IPAddress(ipv4: 0x7f00_0001) },
        Crafted("from a group", .ipv4, .nobody) { $0.source = IPAddress(ipv4: 0xe000_0001) },
        Crafted("from everybody", .ipv4, .nobody) { $0.source = IPAddress(ipv4: 0xffff_ffff) },
        fragments,
    ]

    private static let ipv6: [Crafted] = [
        Crafted("hop-by-hop", .ipv6, .kernel) {
            $0.transport = 0
            $0.options = [17, 0, 1, 4, 0, 0, 0, 0]
        },
        Crafted("destination options", .ipv6, .kernel) {
            $0.transport = 60
            $0.options = [17, 0, 1, 4, 0, 0, 0, 0]
        },
        Crafted("atomic fragment", .ipv6, .kernel) {
            $0.transport = 44
            $0.options = [17, 0, 0, 0, 0, 0, 0, 1]
        },
        Crafted("no UDP checksum", .ipv6, .nobody) { $0.udpChecksum = 0 },
        Crafted("from ::1", .ipv6, .nobody) { $0.source = IPAddress(ipv6: 1) },
        Crafted("from a group", .ipv6, .nobody) { $0.source = IPAddress(ipv6: 0xff02 << 112 | 1) },
        Crafted("IPv4 in IPv6", .ipv6, .nobody) { $0.source = IPAddress(ipv6: 0xffff_0a63_0102) },
    ]

    /// A query in two fragments; the kernel puts them together.
    private static let fragments: Crafted = {
        var whole = Crafted("in two fragments", .ipv4, .kernel)
        let datagram = Array(whole.frames[0].dropFirst(34))
        let cut = 16
        whole.frames = [(0, 0x2000), (cut, UInt16(cut / 8))].map { start, field in
            let part = start == 0 ? datagram[..<cut] : datagram[cut...]
            // The part as what WireFrame takes for UDP's header and payload.
            var frame = plain(.ipv4, payload: Array(part.dropFirst(8)))
            frame.fragment = field
            var bytes = frame.bytes
            bytes.replaceSubrange(34..., with: part)
            return bytes
        }
        return whole
    }()
}
