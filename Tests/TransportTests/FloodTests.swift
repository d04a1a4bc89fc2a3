import Addressing
import Glibc
import SystemCalls
import Testing

@testable import Transport

/// Clients that take more connections than they need. Every address in 127.0.0.0/8 is this
/// machine's, so each third number is another prefix.
@Suite("A flood of TCP connections", .serialized)
struct FloodTests {
    init() throws {
        var limit = rlimit()
        try require { getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        limit.rlim_cur = limit.rlim_max
        try require { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    }

    func isAnswered(_ client: TestClient, _ id: UInt16) throws -> Bool {
        try client.send(framed(query(id)))
        return try client.receiveFrame().flatMap(responseID) == id
    }

    @Test func `from one prefix pushes out nobody else`() throws {
        var limits = TransportLimits.patient
        limits.connectionCountMax = 100
        limits.connectionCountPerPrefixMax = 20
        let server = try TestServer(limits: limits)
        let neighbour = try TestClient(.tcp, to: server.address, from: "127.0.9.1")
        #expect(try isAnswered(neighbour, 1))
        // Half of them say nothing, half drip.
        var flood: [TestClient] = []
        for number in 0..<500 {
            flood.append(
                try TestClient(.tcp, to: server.address, from: "127.0.1.\(1 + number % 200)"))
            // A closed one answers with a reset.
            if number % 2 == 0 { try? flood[number].send([1]) }
            if number % 10 == 0 {
                let visitor = try TestClient(.tcp, to: server.address, from: "127.0.2.1")
                #expect(try isAnswered(visitor, UInt16(number)), "after \(number)")
                for old in flood { try? old.send([1]) }
            }
        }
        #expect(try isAnswered(neighbour, 2))
        #expect(eventually { server.workers.statistics.connectionsLimited == 480 })
        #expect(server.workers.statistics.connectionsSlow == 0)
    }

    @Test func `from many prefixes pushes out nobody who has one connection`() throws {
        var limits = TransportLimits.patient
        limits.connectionCountMax = 100
        limits.connectionCountPerPrefixMax = 20
        let server = try TestServer(limits: limits)
        let neighbour = try TestClient(.tcp, to: server.address, from: "127.0.9.1")
        #expect(try isAnswered(neighbour, 1))
        // Thirty prefixes with three connections each fill the worker; then they take each
        // other's places.
        var flood: [TestClient] = []
        for number in 0..<500 {
            flood.append(
                try TestClient(.tcp, to: server.address, from: "127.0.\(10 + number % 30).1"))
        }
        #expect(eventually { server.workers.statistics.connectionsLimited == 401 })
        #expect(try isAnswered(neighbour, 2))
        let visitor = try TestClient(.tcp, to: server.address, from: "127.0.2.1")
        #expect(try isAnswered(visitor, 3))
        #expect(try isAnswered(neighbour, 4))
    }

    @Test func `of queries leaves datagrams their turn`() throws {
        let server = try TestServer()
        let block = Array(repeating: framed(query(7)), count: 400).flatMap { $0 }
        // Clients that ask all the time and read nothing, until the server stops reading.
        let busy = try (0..<40).map { _ in try TestClient(.tcp, to: server.address) }
        for client in busy {
            _ = block.withUnsafeBytes {
                send(client.descriptor.number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
        }
        let client = try TestClient(.udp, to: server.address)
        for id in UInt16(0)..<20 {
            try client.send(query(id))
            #expect(responseID(try client.receive()) == id)
        }
    }

    @Test func `a client that drips is cut off, one that takes its time between queries is not`()
        throws
    {
        var limits = TransportLimits.patient
        limits.transferTimeout = .milliseconds(300)
        let server = try TestServer(limits: limits)
        let patient = try TestClient(.tcp, to: server.address)
        let dripping = try TestClient(.tcp, to: server.address)
        #expect(try isAnswered(patient, 1))
        let frame = framed(query(1))
        var sent = 0
        while server.workers.statistics.connectionsSlow == 0, sent < frame.count - 1 {
            try? dripping.send([frame[sent]])
            sent += 1
            usleep(150_000)
        }
        #expect(server.workers.statistics.connectionsSlow == 1)
        #expect(try isAnswered(patient, 2))
    }

    @Test func `a client that does not take its responses is cut off`() throws {
        var limits = TransportLimits.patient
        limits.transferTimeout = .milliseconds(300)
        let server = try TestServer(limits: limits)
        let client = try TestClient(.tcp, to: server.address)
        let block = Array(repeating: framed(query(7)), count: 1000).flatMap { $0 }
        // Until the server reads no more: its own buffers and both kernel buffers are full.
        while server.workers.statistics.connectionsSlow == 0 {
            let outcome = attempt {
                block.withUnsafeBytes {
                    send(
                        client.descriptor.number, $0.baseAddress, $0.count,
                        Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                }
            }
            if case .failure(let reason) = outcome, reason != .again { break }
            usleep(20_000)
        }
        #expect(eventually { server.workers.statistics.connectionsSlow == 1 })
        // The kernel lets go of it at once, with a reset.
        #expect(
            eventually {
                var code: Int32 = 0
                var size = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(client.descriptor.number, SOL_SOCKET, SO_ERROR, &code, &size)
                return code == ECONNRESET || code == EPIPE
            })
    }
}
