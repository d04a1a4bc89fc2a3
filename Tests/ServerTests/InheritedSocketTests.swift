import DNSWire
import Foundation
import TestSupport
import Testing

/// Sockets that somebody else keeps open (systemd.socket(5)): no query is lost while there is no
/// server.
@Suite("Inherited sockets")
struct InheritedSocketTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(
            "@ SOA ns1 host 1 7200 1800 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n",
            to: "zones/example.com.zone")
    }

    private func start(
        _ sockets: HeldSockets, workers: Int = 2, listen: String? = nil
    ) throws -> RunningProcess {
        try RunningProcess(
            Programs.own("geodnsd"),
            [
                "--zones", folder.path + "/zones", "--geo-data", "none", "--watch", "off",
                "--listen", listen ?? "127.0.0.1@\(sockets.port)", "--control",
                folder.path + "/control.sock", "--workers", "\(workers)",
            ], sockets: sockets)
    }

    private func query(_ number: Int) -> [UInt8] {
        [UInt8(number >> 8), UInt8(number & 255), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
            + "\u{3}ns1\u{7}example\u{3}com\0".utf8 + [0, 1, 0, 1]
    }

    /// From clients with a port each, 25 queries of each, over UDP; then one of each over TCP.
    private func clients(_ count: Int, to sockets: HeldSockets) throws -> [Int32] {
        try (0..<count).map { _ in
            try #require(DNSClient(port: sockets.port).datagramSocket(seconds: patienceSeconds))
        }
    }

    private func send(_ sockets: [Int32]) {
        for socket in sockets {
            for number in 0..<25 {
                let message = query(number)
                #expect(Foundation.send(socket, message, message.count, 0) == message.count)
            }
        }
    }

    private func receive(_ sockets: [Int32]) {
        var buffer = [UInt8](repeating: 0, count: 512)
        for socket in sockets {
            var numbers: Set<Int> = []
            for _ in 0..<25 {
                let count = recv(socket, &buffer, buffer.count, 0)
                guard count > 12, buffer[3] & 15 == 0, buffer[7] == 1 else { continue }
                numbers.insert(Int(buffer[0]) << 8 | Int(buffer[1]))
            }
            #expect(numbers.count == 25)
        }
    }

    @Test(arguments: [SIGKILL, SIGTERM])
    func `what comes while no server runs is answered by the next one`(signal: Int32) throws {
        let sockets = try HeldSockets(
            "127.0.0.1", port: freePort(on: "127.0.0.1"), datagramSocketCount: 2)
        let first = try start(sockets)
        #expect(first.waitForOutput(" ready"), "\(first.text)")
        #expect(first.text.contains("inherited sockets=3"))
        let all = try clients(20, to: sockets)
        defer { for socket in all { close(socket) } }
        send(all)
        receive(all)
        first.send(signal)
        _ = first.waitForExit()
        send(all)
        // TCP: the kernel takes the connections, and what they say.
        let stream = DispatchQueue(label: "stream")
        nonisolated(unsafe) var responses: [[UInt8]] = []
        let isDone = DispatchSemaphore(value: 0)
        let queries = (0..<10).map(query)
        stream.async {
            responses = DNSClient(port: sockets.port)
                .exchangeOverStream(queries, seconds: patienceSeconds)
            isDone.signal()
        }
        let second = try start(sockets)
        defer { second.stop() }
        receive(all)
        isDone.wait()
        #expect(responses.count == 10)
        #expect(second.waitForOutput(" ready"))
    }

    /// Every socket has a reader, and every worker something to read.
    @Test(arguments: [(1, 3), (3, 1), (3, 2)])
    func `there may be more sockets than workers, or less`(counts: (sockets: Int, workers: Int))
        throws
    {
        let sockets = try HeldSockets(
            "127.0.0.1", port: freePort(on: "127.0.0.1"), datagramSocketCount: counts.sockets)
        let server = try start(sockets, workers: counts.workers)
        defer { server.stop() }
        #expect(server.waitForOutput(" ready"), "\(server.text)")
        // So many that each of the sockets has some of them.
        let all = try clients(40, to: sockets)
        defer { for socket in all { close(socket) } }
        send(all)
        receive(all)
        #expect(
            DNSClient(port: sockets.port).exchangeOverStream((0..<5).map(query)).count == 5)
    }

    @Test func `a socket for an address that is not listened on is an error`() throws {
        let sockets = try HeldSockets("127.0.0.1", port: freePort(on: "127.0.0.1"))
        let server = try start(sockets, listen: "127.0.0.2@\(sockets.port)")
        #expect(server.waitForExit() == 1)
        #expect(
            server.text.contains(
                "the socket that came as descriptor 3 is for 127.0.0.1@\(sockets.port) (UDP), "
                    + "which is not among the addresses to listen on: name it in `listen`"),
            "\(server.text)")
    }

    @Test func `descriptors that are no sockets are an error`() throws {
        let file = fcntl(open("/dev/null", O_RDONLY), F_DUPFD_CLOEXEC, 100)
        defer { close(file) }
        let server = try RunningProcess(
            "/bin/sh",
            [
                "-c", "exec env LISTEN_PID=$$ LISTEN_FDS=1 \"$@\"", "sh", Programs.own("geodnsd"),
                "--zones", folder.path + "/zones", "--geo-data", "none", "--listen", "127.0.0.1@0",
                "--control", folder.path + "/control.sock",
            ], descriptors: [file])
        #expect(server.waitForExit() == 1)
        #expect(
            server.text.contains(
                "descriptor 3 is neither a bound UDP socket nor a listening TCP socket"),
            "\(server.text)")
    }
}
