import Addressing
import Frames
import Glibc
import SystemCalls
import TestSupport
import Testing

@testable import XDP

/// Whether this process may load programs into this kernel.
let mayLoadPrograms: Bool = {
    let interface = NetworkInterface(
        name: "none", index: 0, mtu: 1500, queueCount: 1, hardwareAddress: 0x0200_0000_0001)
    do throws(XDPError) {
        _ = try XDPProgram(interface, port: 53)
        return true
    } catch {
        return error.reason != Errno(EPERM) && error.reason != Errno(EACCES)
            && error.reason != Errno(ENOSYS)
    }
}()

@Suite(.enabled(if: mayLoadPrograms, "needs CAP_NET_ADMIN and CAP_BPF"))
struct ProgramTests {
    private static let interface = NetworkInterface(
        name: "none", index: 0, mtu: 1500, queueCount: 1, hardwareAddress: 0x0200_0000_0001)
    private static let ours = [
        IPAddress(ipv4: 0xc000_0201), IPAddress(ipv6: 0x2001_0db8 << 96 | 1),
    ]

    private func makeProgram() throws -> XDPProgram {
        let program = try XDPProgram(ProgramTests.interface, port: 53)
        for address in ProgramTests.ours { try program.add(address) }
        return program
    }

    private func plain(_ family: IPAddress.Family) -> WireFrame {
        family == .ipv4
            ? WireFrame(from: IPAddress(ipv4: 0xcb00_7105), to: ProgramTests.ours[0])
            : WireFrame(from: IPAddress(ipv6: 0x2001_0db8 << 96 | 5), to: ProgramTests.ours[1])
    }

    /// What the table at `FrameVerdict` says, when no queue has a socket.
    private func expected(_ frame: [UInt8], _ filter: FrameFilter) -> PassReason {
        if case .pass(let reason) = filter.read(frame.span) { return reason }
        let isIPv4 = frame[12] == 8
        let bytes = Array(isIPv4 ? frame[30..<34] : frame[38..<54])
        return ProgramTests.ours.contains { $0.bytes == bytes } ? .queue : .address
    }

    @Test func `decides as the filter does, over random frames`() throws {
        var random = SeededGenerator(seed: 53)
        let program = try makeProgram()
        var counts: [PassReason: Int] = [:]
        for _ in 0..<20_000 {
            var frame = plain(random.once(in: 2) ? .ipv4 : .ipv6)
            if random.once(in: 8) {
                frame.payload = [UInt8](repeating: 1, count: random.number(0...30))
            }
            if random.once(in: 20) {
                frame.payload = [UInt8](repeating: 1, count: random.number(1720...1760))
            }
            if random.once(in: 8) { frame.options = [1, 1, 1, 1] }
            if random.once(in: 8) { frame.fragment = UInt16(random.number(0...0xffff)) }
            if random.once(in: 8) { frame.receiver = random.next() >> 16 }
            if random.once(in: 8) { frame.tags = [0x81, 0, 0, 5] }
            if random.once(in: 8) { frame.transport = UInt8(random.number(0...255)) }
            if random.once(in: 8) { frame.destinationPort = UInt16(random.number(0...0xffff)) }
            var bytes = frame.bytes
            for _ in 0..<random.number(0...2) {
                bytes[random.number(0...min(bytes.count, 80) - 1)] = UInt8(random.number(0...255))
            }
            if random.once(in: 20) { bytes.removeLast(random.number(0...bytes.count - 14)) }
            let reason = try program.judge(bytes)
            #expect(reason == expected(bytes, program.filter), "\(bytes)")
            if let reason { counts[reason, default: 0] += 1 }
        }
        for reason in PassReason.allCases { #expect(counts[reason, default: 0] > 20, "\(reason)") }
    }

    @Test func `an address is ours from when it is added until it is removed`() throws {
        let program = try XDPProgram(ProgramTests.interface, port: 53)
        for family in [IPAddress.Family.ipv4, .ipv6] {
            let frame = plain(family)
            let before = try program.judge(frame.bytes)
            try program.add(frame.destination)
            try program.add(frame.destination)
            let meanwhile = try program.judge(frame.bytes)
            program.remove(frame.destination)
            program.remove(frame.destination)
            let after = try program.judge(frame.bytes)
            #expect(before == .address && meanwhile == .queue && after == .address)
        }
    }

    /// The map's keys tell the families apart: 192.0.2.1 is not c000:201::.
    @Test func `an address of one family is none of the other`() throws {
        let program = try makeProgram()
        for bits in [0xc000_0201 << 96, 0xffff << 32 | 0xc000_0201] as [UInt128] {
            let frame = WireFrame(
                from: IPAddress(ipv6: 0x2001 << 112 | 5), to: IPAddress(ipv6: bits))
            let reason = try program.judge(frame.bytes)
            #expect(reason == .address)
        }
    }

    @Test func `more addresses than there is room for are an error`() throws {
        let program = try XDPProgram(ProgramTests.interface, port: 53)
        for number in 1...UInt32(XDPProgram.addressCountMax) {
            try program.add(IPAddress(ipv4: number))
        }
        var words = ""
        do throws(XDPError) {
            try program.add(IPAddress(ipv4: 0xffff))
        } catch {
            words = error.description
        }
        #expect(
            words == "none: telling the XDP program an address: argument list too long:"
                + " there are too many addresses")
    }

    /// Queues are numbered from 0, and the frames of these tests come from that.
    @Test func `counts are kept by queue and reason`() throws {
        let program = try makeProgram()
        _ = try program.judge(plain(.ipv4).bytes)
        let counts = (0...1).map { queue in
            PassReason.allCases.map { program.passedCount($0, queue: queue) }
        }
        #expect(counts == [[0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]])
    }
}

@Suite struct InterfaceTests {
    @Test(arguments: [
        ("nosuch0", "no such device: `ip link` lists the interfaces there are"),
        ("a-name-that-is-too-long", "no such device: `ip link` lists the interfaces there are"),
        ("", "no such device: `ip link` lists the interfaces there are"),
        (
            "lo",
            "invalid argument: only Ethernet can be served, and only with a hardware address of its own"
        ),
    ])
    func `that cannot be served are told why`(_ name: String, _ words: String) throws {
        let error = try #require(throws: XDPError.self) { try NetworkInterface(named: name) }
        #expect(error.description == "\(name): looking at the interface: \(words)")
    }
}
