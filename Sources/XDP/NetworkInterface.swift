package import Addressing
import CXDP
import Glibc
package import SystemCalls

/// A network interface as it was when it was looked at.
package struct NetworkInterface: Equatable, Sendable {
    package let name: String
    package let index: UInt32
    /// Longest IP packet, in bytes.
    package let mtu: Int
    /// Receive queues; each needs a socket of its own.
    package let queueCount: Int
    /// 48 bits, the first on the wire at the top.
    package let hardwareAddress: UInt64
    /// Whether it is up and has a carrier.
    package let isUp: Bool

    /// Throws when there is none of this name, or it is not an Ethernet (loopback, a tunnel).
    package init(named name: String) throws(XDPError) {
        var found = cxdp_interface()
        do throws(Errno) {
            // SAFETY: the string ends with a zero, and both are used during the call only.
            try require { unsafe cxdp_describe(name, &found) }
        } catch {
            throw XDPError(name, .describeInterface, error)
        }
        let bytes = found.hardware_address
        var address: UInt64 = 0
        for byte in [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5] {
            address = address << 8 | UInt64(byte)
        }
        guard found.is_ethernet, address != 0, address >> 40 & 1 == 0 else {
            throw XDPError(name, .describeInterface, .invalidArgument)
        }
        self.name = name
        index = found.index
        mtu = Int(found.mtu)
        queueCount = Int(found.queue_count)
        hardwareAddress = address
        isUp = found.is_up
    }

    /// The same interface now, whatever it is called; nil: it is gone, or no Ethernet any more.
    package var now: NetworkInterface? {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        // SAFETY: there is room for the longest name, with its zero.
        guard unsafe if_indextoname(index, &name) != nil else { return nil }
        let text = String(
            decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard let found = try? NetworkInterface(named: text), found.index == index else {
            return nil
        }
        return found
    }

    /// What a wildcard stands for now: the addresses of all interfaces that are up, each once,
    /// without those of loopback. Linux takes a packet to any of them on every interface (RFC 1122
    /// §3.3.4.2, "weak host model").
    package static func ownAddresses() throws(Errno) -> [IPAddress] {
        var room = [cxdp_address](repeating: cxdp_address(), count: 64)
        while true {
            let roomCount = UInt32(room.count)
            // SAFETY: there is room for as many as it is told.
            let count = try Int(require { unsafe cxdp_own_addresses(&room, roomCount) })
            if count <= room.count { return unique(room.prefix(count).map(IPAddress.init)) }
            room = [cxdp_address](repeating: cxdp_address(), count: 2 * count)
        }
    }

    private static func unique(_ addresses: [IPAddress]) -> [IPAddress] {
        var seen: Set<IPAddress> = []
        return addresses.filter { seen.insert($0).inserted }
    }

    /// For tests of what needs none.
    init(
        name: String, index: UInt32, mtu: Int, queueCount: Int, hardwareAddress: UInt64,
        isUp: Bool = true
    ) {
        self.name = name
        self.index = index
        self.mtu = mtu
        self.queueCount = queueCount
        self.hardwareAddress = hardwareAddress
        self.isUp = isUp
    }
}

extension IPAddress {
    fileprivate init(_ address: cxdp_address) {
        var bits: UInt128 = 0
        // SAFETY: both are 16 bytes, of any value.
        unsafe withUnsafeBytes(of: address.bytes) {
            bits = unsafe $0.loadUnaligned(as: UInt128.self)
        }
        // IPv4 stands at the top in both.
        self.init(leftAligned: bits.bigEndian, family: address.version == 4 ? .ipv4 : .ipv6)
    }
}
