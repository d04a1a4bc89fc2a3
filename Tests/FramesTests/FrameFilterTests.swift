import Addressing
import Frames
import TestSupport
import Testing

private let filter = FrameFilter(
    hardwareAddress: 0x02_00_00_00_00_01, port: 53, frameByteCountMax: 1792)

/// A frame that differs from a plain query in one thing, and what it becomes.
struct FrameCase: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var frame: WireFrame
    /// Nil: a query.
    var verdict: FrameVerdict?

    init(
        _ description: String, _ family: IPAddress.Family, _ verdict: FrameVerdict?,
        _ change: (inout WireFrame) -> Void = { _ in }
    ) {
        testDescription = "\(description), \(family)"
        self.verdict = verdict
        frame =
            family == .ipv4
            ? WireFrame(from: IPAddress(ipv4: 0xcb00_7105), to: IPAddress(ipv4: 0xc000_0201))
            : WireFrame(
                from: IPAddress(ipv6: 0x2001_0db8 << 96 | 5),
                to: IPAddress(ipv6: 0x2001_0db8 << 96 | 1))
        change(&frame)
    }

    static let ipv4: [FrameCase] = [
        FrameCase("plain", .ipv4, nil),
        FrameCase("DNS header only", .ipv4, nil) { $0.payload = [UInt8](repeating: 0, count: 12) },
        FrameCase("odd payload", .ipv4, nil) { $0.payload = [UInt8](repeating: 9, count: 31) },
        FrameCase("one byte short of a DNS header", .ipv4, .pass(.short)) {
            $0.payload = [UInt8](repeating: 0, count: 11)
        },
        FrameCase("the same in Ethernet's padding", .ipv4, nil) {
            $0.payload = [UInt8](repeating: 0, count: 11)
            $0.padding = [UInt8](repeating: 0, count: 7)
        },
        FrameCase("no payload, in padding", .ipv4, nil) {
            $0.payload = []
            $0.padding = [UInt8](repeating: 0, count: 18)
        },
        FrameCase("as long as a frame may be", .ipv4, nil) {
            $0.payload = [UInt8](repeating: 1, count: 1792 - 42)
        },
        FrameCase("longer than a frame may be", .ipv4, .pass(.long)) {
            $0.payload = [UInt8](repeating: 1, count: 1793 - 42)
        },
        FrameCase("to another machine", .ipv4, .pass(.hardwareAddress)) {
            $0.receiver = 0x0200_0000_0003
        },
        FrameCase("to all machines", .ipv4, .pass(.hardwareAddress)) {
            $0.receiver = 0xffff_ffff_ffff
        },
        FrameCase("to a group of machines", .ipv4, .pass(.hardwareAddress)) {
            $0.receiver = 0x0100_5e00_00fb
        },
        FrameCase("ARP", .ipv4, .pass(.etherType)) { $0.etherType = 0x0806 },
        FrameCase("a length instead of a type", .ipv4, .pass(.etherType)) { $0.etherType = 0x0040 },
        FrameCase("802.1Q", .ipv4, .pass(.etherType)) { $0.tags = [0x81, 0, 0, 7] },
        FrameCase("802.1ad", .ipv4, .pass(.etherType)) {
            $0.tags = [0x88, 0xa8, 0, 7, 0x81, 0, 0, 8]
        },
        FrameCase("MPLS", .ipv4, .pass(.etherType)) {
            $0.etherType = 0x8847
        },
        FrameCase("IPv6 where the type says IPv4", .ipv4, .pass(.header)) { $0.version = 6 },
        FrameCase("options", .ipv4, .pass(.header)) { $0.options = [0x94, 4, 0, 0] },
        FrameCase("first fragment", .ipv4, .pass(.fragment)) { $0.fragment = 0x2000 },
        FrameCase("last fragment", .ipv4, .pass(.fragment)) { $0.fragment = 0x0020 },
        FrameCase("a fragment that may not be cut", .ipv4, .pass(.fragment)) {
            $0.fragment = 0x6000
        },
        FrameCase("DF", .ipv4, nil) { $0.fragment = 0x4000 },
        FrameCase("reserved bit", .ipv4, nil) { $0.fragment = 0x8000 },
        FrameCase("TCP", .ipv4, .pass(.transport)) { $0.transport = 6 },
        FrameCase("ICMP", .ipv4, .pass(.transport)) { $0.transport = 1 },
        FrameCase("UDP-Lite", .ipv4, .pass(.transport)) { $0.transport = 136 },
        FrameCase("total length past the frame", .ipv4, .drop(.length)) { $0.packetByteCount = 59 },
        FrameCase("total length of all ones", .ipv4, .drop(.length)) {
            $0.packetByteCount = 0xffff
        },
        FrameCase("total length less than UDP's header", .ipv4, .drop(.length)) {
            $0.packetByteCount = 27
        },
        FrameCase("total length zero", .ipv4, .drop(.length)) { $0.packetByteCount = 0 },
        FrameCase("total length that cuts UDP off", .ipv4, .drop(.length)) {
            $0.packetByteCount = 57
        },
        FrameCase("a wrong checksum of the header", .ipv4, .drop(.headerChecksum)) {
            $0.headerChecksum = 0x1234
        },
        FrameCase("no UDP checksum", .ipv4, nil) { $0.udpChecksum = 0 },
        FrameCase("from 0.0.0.0", .ipv4, .drop(.source)) { $0.source = IPAddress(ipv4: 0) },
        FrameCase("from 0.1.2.3", .ipv4, .drop(.source)) {
            $0.source = IPAddress(ipv4: 0x0001_0203)
        },
        FrameCase("from loopback", .ipv4, .drop(.source)) {
            $0.source = IPAddress(ipv4: 0x7f01_0203)
        },
        FrameCase("from a group", .ipv4, .drop(.source)) {
            $0.source = IPAddress(ipv4: 0xe000_00fb)
        },
        FrameCase("from 240.0.0.1", .ipv4, .drop(.source)) {
            $0.source = IPAddress(ipv4: 0xf000_0001)
        },
        FrameCase("from everybody", .ipv4, .drop(.source)) {
            $0.source = IPAddress(ipv4: 0xffff_ffff)
        },
        FrameCase("from 223.255.255.255", .ipv4, nil) { $0.source = IPAddress(ipv4: 0xdfff_ffff) },
    ]

    static let ipv6: [FrameCase] = [
        FrameCase("plain", .ipv6, nil),
        FrameCase("DNS header only", .ipv6, nil) { $0.payload = [UInt8](repeating: 0, count: 12) },
        FrameCase("one byte short of a DNS header", .ipv6, .pass(.short)) {
            $0.payload = [UInt8](repeating: 0, count: 11)
        },
        FrameCase("802.1Q", .ipv6, .pass(.etherType)) { $0.tags = [0x81, 0, 0, 7] },
        FrameCase("IPv4 where the type says IPv6", .ipv6, .pass(.header)) { $0.version = 4 },
        FrameCase("hop-by-hop options", .ipv6, .pass(.transport)) {
            $0.transport = 0
            $0.options = [17, 0, 1, 4, 0, 0, 0, 0]
        },
        FrameCase("destination options", .ipv6, .pass(.transport)) {
            $0.transport = 60
            $0.options = [17, 0, 1, 4, 0, 0, 0, 0]
        },
        FrameCase("an atomic fragment", .ipv6, .pass(.transport)) {
            $0.transport = 44
            $0.options = [17, 0, 0, 0, 0, 0, 0, 1]
        },
        FrameCase("ICMPv6", .ipv6, .pass(.transport)) { $0.transport = 58 },
        FrameCase("payload length past the frame", .ipv6, .drop(.length)) {
            $0.packetByteCount = 39
        },
        FrameCase("payload length less than UDP's header", .ipv6, .drop(.length)) {
            $0.packetByteCount = 7
        },
        FrameCase("payload length zero", .ipv6, .drop(.length)) { $0.packetByteCount = 0 },
        FrameCase("payload length that cuts UDP off", .ipv6, .drop(.length)) {
            $0.packetByteCount = 37
        },
        FrameCase("no UDP checksum", .ipv6, .drop(.noChecksum)) { $0.udpChecksum = 0 },
        FrameCase("from ::", .ipv6, .drop(.source)) { $0.source = IPAddress(ipv6: 0) },
        FrameCase("from ::1", .ipv6, .drop(.source)) { $0.source = IPAddress(ipv6: 1) },
        FrameCase("from ::2", .ipv6, nil) { $0.source = IPAddress(ipv6: 2) },
        FrameCase("from a group", .ipv6, .drop(.source)) {
            $0.source = IPAddress(ipv6: 0xff02 << 112 | 1)
        },
        FrameCase("from an IPv4 address in IPv6", .ipv6, .drop(.source)) {
            $0.source = IPAddress(ipv6: 0xffff_cb00_7105)
        },
        FrameCase("from a link-local address", .ipv6, nil) {
            $0.source = IPAddress(ipv6: 0xfe80 << 112 | 9)
        },
    ]

    static let both: [FrameCase] = [IPAddress.Family.ipv4, .ipv6].flatMap { family in
        [
            FrameCase("to another port", family, .pass(.port)) { $0.destinationPort = 5353 },
            FrameCase("padding behind the packet", family, nil) {
                $0.padding = [UInt8](repeating: 0xff, count: 5)
            },
            FrameCase("bytes behind UDP", family, nil) { $0.udpByteCount = 8 + 25 },
            FrameCase("UDP longer than IP", family, .drop(.length)) { $0.udpByteCount = 39 },
            FrameCase("UDP longer than IP, in padding", family, .drop(.length)) {
                $0.udpByteCount = 39
                $0.padding = [UInt8](repeating: 0, count: 20)
            },
            FrameCase("UDP shorter than its header", family, .drop(.length)) {
                $0.udpByteCount = 7
            },
            FrameCase("UDP of length zero", family, .drop(.length)) { $0.udpByteCount = 0 },
            FrameCase("a UDP checksum that the card would complete", family, nil) {
                $0.udpChecksum = 0xbeef
            },
            FrameCase("from port 0", family, .drop(.sourcePort)) { $0.sourcePort = 0 },
            FrameCase("from our own address", family, .drop(.source)) {
                $0.source = $0.destination
            },
            FrameCase("from hardware that is a group", family, .drop(.source)) {
                $0.sender = 0x0300_0000_0002
            },
            FrameCase("TTL zero, ECN, traffic class", family, nil) {
                $0.hopLimit = 0
                $0.trafficClass = 0xff
            },
        ]
    }
}

@Suite struct FrameFilterTests {
    @Test(arguments: FrameCase.ipv4 + FrameCase.ipv6 + FrameCase.both)
    func everyFrameBecomesWhatTheTableSays(_ test: FrameCase) {
        let verdict = filter.read(test.frame.bytes.span)
        if let expected = test.verdict {
            #expect(verdict == expected)
            return
        }
        guard case .query(let query) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        let frame = test.frame
        #expect(query.source == frame.source && query.destination == frame.destination)
        #expect(query.sourcePort == frame.sourcePort && query.destinationPort == 53)
        let udp = Int(frame.udpByteCount ?? UInt16(8 + frame.payload.count))
        #expect(Array(frame.bytes[query.payload]) == Array(frame.payload.prefix(udp - 8)))
    }

    /// Nothing is read past the end: a trap would end this test.
    @Test(arguments: [IPAddress.Family.ipv4, .ipv6])
    func aFrameCutAnywhereIsNoQuery(_ family: IPAddress.Family) {
        let bytes = FrameCase("", family, nil).frame.bytes
        for count in 0..<bytes.count {
            let verdict = filter.read(Array(bytes.prefix(count)).span)
            let minimum = family == .ipv4 ? 54 : 74
            #expect(verdict == (count < minimum ? .pass(.short) : .drop(.length)), "\(count)")
        }
    }

    @Test func everyReasonHasItsOwnLabelAndCase() {
        let passed = PassReason.allCases.map(\.label)
        let dropped = DropReason.allCases.map(\.label)
        #expect(Set(passed).count == passed.count && Set(dropped).count == dropped.count)
        let verdicts = (FrameCase.ipv4 + FrameCase.ipv6 + FrameCase.both).map(\.verdict)
        // The other two are the program's.
        for reason in PassReason.allCases where reason != .address && reason != .queue {
            #expect(verdicts.contains(.pass(reason)), "\(reason)")
        }
        for reason in DropReason.allCases { #expect(verdicts.contains(.drop(reason)), "\(reason)") }
    }
}
