import Addressing
import Foundation
import Frames
import Glibc
import SystemCalls
import TestSupport

@testable import XDP

/// Non-blocking, and nothing that a program inherits which another test starts meanwhile: it would
/// hold the port.
private let closedOnExec = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

/// Two interfaces joined by a cable (veth(4)), in a network namespace that is gone with the test.
/// `server` is an interface as a machine has it; at the other end is `wire`, whose frames
/// are what a test makes them.
final class Cable {
    static let server = "xdp0"
    static let hardwareAddress: UInt64 = 0x0200_0000_0001
    private static let far = "xdp1"

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    private let wire: FileDescriptor

    /// Why there can be none here; nil: there can.
    static let obstacle: String? = {
        guard getuid() == 0 else { return "network namespaces want root" }
        guard Programs.find("ip") != nil else {
            return "ip is not installed (apt install iproute2)"
        }
        do {
            return try run { _ in
                _ = try CableQueue()
                return nil
            }
        } catch {
            return "\(error)"
        }
    }()

    /// Runs `body` on a thread of its own, in a namespace of its own.
    static func run<Result: Sendable>(
        mtu: Int = 1500, queueCount: Int = 1, _ body: @escaping @Sendable (Cable) throws -> Result
    ) throws -> Result {
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var result: Swift.Result<Result, any Error>?
        let thread = Thread {
            result = Swift.Result { try body(Cable(mtu: mtu, queueCount: queueCount)) }
            done.signal()
        }
        thread.stackSize = 1 << 20
        thread.start()
        done.wait()
        guard let result else { throw Failed(description: "the thread has ended without a result") }
        return try result.get()
    }

    private init(mtu: Int, queueCount: Int) throws {
        try Cable.leaveNamespace()
        let queues = "numrxqueues \(queueCount) numtxqueues \(queueCount)"
        for step in [
            "link add \(Cable.server) address 02:00:00:00:00:01 mtu \(mtu) \(queues) type veth"
                + " peer name \(Cable.far) address 02:00:00:00:00:02 mtu \(mtu) \(queues)",
            "addr add 10.99.1.1/24 dev \(Cable.server)",
            "addr add 10.99.1.3/24 dev \(Cable.server)",
            "addr add 2001:db8::1/64 dev \(Cable.server) nodad",
            "link set \(Cable.server) up", "link set \(Cable.far) up",
            "neigh add 10.99.1.2 lladdr 02:00:00:00:00:02 dev \(Cable.server)",
            "neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev \(Cable.server)",
        ] { try Cable.ip(step) }
        // ETH_P_ALL, in network order.
        wire = try FileDescriptor {
            socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | closedOnExec, 0x0300)
        }
        // struct sockaddr_ll, which Glibc's module does not have.
        var address = [UInt8](repeating: 0, count: 20)
        address[0] = UInt8(AF_PACKET)
        address[3] = 3
        withUnsafeBytes(of: if_nametoindex(Cable.far)) { index in
            address.replaceSubrange(4..<8, with: index)
        }
        let number = wire.number
        try require {
            address.withUnsafeBytes { raw in
                bind(number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), 20)
            }
        }
    }

    /// This thread, and what it starts, is in a new namespace from now on: unshare(2), which stands
    /// behind _GNU_SOURCE.
    private static func leaveNamespace() throws {
        typealias Unshare = @convention(c) (Int32) -> Int32
        guard let symbol = dlsym(nil, "unshare") else { throw Failed(description: "no unshare") }
        let unshare = unsafeBitCast(symbol, to: Unshare.self)
        let newNetwork: Int32 = 0x4000_0000
        try require { unshare(newNetwork) }
    }

    @discardableResult
    static func ip(_ words: String) throws -> String {
        guard let ip = Programs.find("ip") else { throw Failed(description: "no ip") }
        let (status, text) = try RunningProcess.run(
            ip, words.split(separator: " ").map(String.init))
        guard status == 0 else { throw Failed(description: "ip \(words): \(text)") }
        return text
    }

    func send(_ frame: [UInt8]) throws {
        let number = wire.number
        while true {
            switch attempt({ Glibc.send(number, frame, frame.count, 0) }) {
            case .success: return
            // The cable holds 256 frames, which the kernel takes out when it gets to it.
            case .failure(.noBufferSpace), .failure(.again): usleep(1000)
            case .failure(let error): throw error
            }
        }
    }

    /// The next frame that came over the cable; nil: none is there.
    func receive() -> [UInt8]? {
        var frame = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.recv(wire.number, &frame, frame.count, 0)
        return count > 0 ? Array(frame[..<count]) : nil
    }
}

/// The queue at the server's end of the cable, and the program that hands it what is for port 53 of
/// the addresses of `Crafted`.
struct CableQueue: ~Copyable {
    var program: XDPProgram
    var queue: XDPQueue
    let mtu: Int

    /// `isServing`: otherwise the program does not know the queue yet.
    init(_ modes: [XDPProgram.Mode] = XDPProgram.Mode.allCases, isServing: Bool = true) throws {
        let interface = try NetworkInterface(named: Cable.server)
        let queue = try XDPQueue(interface, queue: 0)
        var program = try XDPProgram(interface, port: 53)
        if isServing { try program.serve(queue) }
        for address in [Crafted.server4, Crafted.server6] { try program.add(address) }
        _ = try program.attach(modes)
        mtu = interface.mtu
        self.queue = queue
        self.program = program
    }

    /// Answers what is there.
    mutating func answer(
        with respond: (Span<UInt8>, IPAddress, inout MutableSpan<UInt8>) -> Int
    ) -> FrameTally {
        queue.answer(queue.receive(), program.filter, mtu: mtu, with: respond)
    }
}

/// A server at its end of the cable: over AF_XDP, with the kernel's socket behind it. Both send a
/// query's bytes back, behind a byte that tells who it was.
struct EchoServer: ~Copyable {
    static let mark = UInt8(ascii: "X")

    var frames: CableQueue
    private let kernel: KernelEcho
    private(set) var tally = FrameTally()

    init(_ mode: XDPProgram.Mode, isServing: Bool = true) throws {
        let frames = try CableQueue([mode], isServing: isServing)
        kernel = try KernelEcho()
        self.frames = frames
    }

    /// Answers what is there.
    mutating func serve() {
        let batch = frames.answer { query, _, response in
            guard query.count > 0, query.count < response.count else { return 0 }
            response[0] = EchoServer.mark
            for index in 0..<query.count { response[index + 1] = query[index] }
            return query.count + 1
        }
        tally.add(batch)
        kernel.serve()
    }
}

/// The same over a socket: what the kernel gets.
struct KernelEcho {
    static let mark = UInt8(ascii: "K")

    private let socket: FileDescriptor

    /// One for both families, so that it answers in the order in which queries came.
    init() throws {
        let descriptor = try FileDescriptor {
            Glibc.socket(AF_INET6, Int32(SOCK_DGRAM.rawValue) | closedOnExec, 0)
        }
        var no: Int32 = 0
        try require { setsockopt(descriptor.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, 4) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = in_port_t(53).bigEndian
        try require {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        socket = descriptor
    }

    /// Answers what is there.
    func serve() {
        while true {
            var bytes = [UInt8](repeating: KernelEcho.mark, count: 2048)
            var peer = sockaddr_in6()
            var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            let count = withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                    bytes.withUnsafeMutableBytes { raw in
                        let room = raw.baseAddress.map { $0 + 1 }
                        let count = recvfrom(socket.number, room, raw.count - 1, 0, peer, &length)
                        guard count >= 0 else { return count }
                        return sendto(socket.number, raw.baseAddress, count + 1, 0, peer, length)
                    }
                }
            }
            if count < 0 { return }
        }
    }
}

extension FrameTally {
    mutating func add(_ other: FrameTally) {
        receivedCount += other.receivedCount
        sentCount += other.sentCount
        for index in 0..<5 { dropped[index] += other.dropped[index] }
        foreignCount += other.foreignCount
        unansweredCount += other.unansweredCount
        lostCount += other.lostCount
        waitingCount = other.waitingCount
    }
}
