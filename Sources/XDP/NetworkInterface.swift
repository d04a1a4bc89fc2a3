import CXDP
import SystemCalls

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
    }

    /// For tests of what needs none.
    init(name: String, index: UInt32, mtu: Int, queueCount: Int, hardwareAddress: UInt64) {
        self.name = name
        self.index = index
        self.mtu = mtu
        self.queueCount = queueCount
        self.hardwareAddress = hardwareAddress
    }
}
