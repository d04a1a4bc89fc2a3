import Addressing
import CLinux
import Glibc
import SystemCalls

/// Socket addresses as the kernel writes them: sockaddr_in or sockaddr_in6, in network order.
///
/// Both start with the family (2 bytes, host order) and the port (2 bytes); the IPv4 address
/// stands at offset 4, the IPv6 address at 8, after the flow label.
@safe
struct SocketAddress {
    /// The larger of the two holds either.
    private var storage = sockaddr_in6()

    /// What to hand to the kernel as the length of the room.
    static let byteCountMax = MemoryLayout<sockaddr_in6>.size

    /// Room for the kernel to write to.
    init() {}

    init(_ listen: ListenAddress) {
        let address = listen.address
        // SAFETY: every offset below plus its width is within sockaddr_in6's 28 bytes.
        unsafe withUnsafeMutableBytes(of: &storage) { raw in
            unsafe raw.storeBytes(of: listen.port.bigEndian, toByteOffset: 2, as: UInt16.self)
            switch address.family {
            case .ipv4:
                unsafe raw.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
                unsafe raw.storeBytes(
                    of: address.ipv4Value.bigEndian, toByteOffset: 4, as: UInt32.self)
            case .ipv6:
                unsafe raw.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
                unsafe raw.storeBytes(
                    of: address.bits.bigEndian, toByteOffset: 8, as: UInt128.self)
            }
        }
    }

    /// What a socket is bound to; nil for a family that is neither IPv4 nor IPv6.
    static func own(of socket: Int32) throws(Errno) -> ListenAddress? {
        var name = SocketAddress()
        // SAFETY: the pointers are used during the call only.
        try require { unsafe name.withRoom { unsafe getsockname(socket, $0, $1) } }
        return name.listenAddress
    }

    /// Nil for a family that is neither IPv4 nor IPv6.
    var listenAddress: ListenAddress? {
        // SAFETY: the storage is a whole sockaddr_in6.
        unsafe withUnsafeBytes(of: storage) { raw in
            guard let base = raw.baseAddress, let address = unsafe SocketAddress.address(at: base)
            else { return nil }
            return ListenAddress(address, port: unsafe SocketAddress.port(at: base))
        }
    }

    /// Calls `body` with the address and its byte count, as bind(2) wants them.
    func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        let count =
            Int32(storage.sin6_family) == AF_INET
            ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        // SAFETY: sockaddr is the common head of both; `count` bytes are initialised.
        return unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(count))
            }
        }
    }

    /// Calls `body` with room for an address, as accept(2) and getsockname(2) want it.
    mutating func withRoom(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Int32 {
        var length = socklen_t(SocketAddress.byteCountMax)
        // SAFETY: the kernel writes at most `length` bytes of it.
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, &length)
            }
        }
    }
}

extension SocketAddress {
    /// The address of a sockaddr of at least `byteCountMax` bytes; nil for other families.
    @inline(__always)
    static func address(at raw: UnsafeRawPointer) -> IPAddress? {
        // SAFETY: all reads end at byte 24 or before; the caller gives room for 28.
        switch unsafe Int32(raw.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            return unsafe IPAddress(
                ipv4: UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        case AF_INET6:
            return unsafe IPAddress(
                ipv6: UInt128(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt128.self)))
        default:
            return nil
        }
    }

    @inline(__always)
    static func port(at raw: UnsafeRawPointer) -> UInt16 {
        // SAFETY: bytes 2 and 3 of a sockaddr.
        unsafe UInt16(bigEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }
}
