import Addressing
import Foundation
import Glibc
import SystemCalls
import Testing

@testable import Transport

private let manyFrames = (0..<200).flatMap { framed(query($0)) }

@Suite("Queries over TCP")
struct StreamTests {
    @Test(arguments: ["127.0.0.1@0", "[::1]@0"])
    func `are answered, several on a connection`(listen: String) throws {
        let server = try TestServer(listen, workerCount: 2)
        let client = try TestClient(.tcp, to: server.address)
        for id in UInt16(1)...3 {
            try client.send(framed(query(id)))
            #expect(try client.receiveFrame().flatMap(responseID) == id)
        }
        #expect(server.workers.statistics.streamQueries == 3)
        #expect(server.workers.statistics.connectionsOpened == 1)
    }

    @Test func `sent without waiting are answered in order`() throws {
        let server = try TestServer()
        let client = try TestClient(.tcp, to: server.address)
        try client.send((0..<500).flatMap { framed(query($0)) })
        for id in UInt16(0)..<500 {
            #expect(try client.receiveFrame().flatMap(responseID) == id)
        }
    }

    @Test func `sent byte by byte are answered`() throws {
        let server = try TestServer()
        let client = try TestClient(.tcp, to: server.address)
        for byte in framed(query(77)) { try client.send([byte]) }
        #expect(try client.receiveFrame().flatMap(responseID) == 77)
    }

    @Test func `sent in one segment, or split at any byte, are answered`() throws {
        let server = try TestServer()
        let client = try TestClient(.tcp, to: server.address)
        let burst = (0..<200).flatMap { framed(query($0)) }
        try client.send(burst)
        for id in UInt16(0)..<200 {
            #expect(try client.receiveFrame().flatMap(responseID) == id)
        }
        let three = (0..<3).flatMap { framed(query($0)) }
        for split in 1..<three.count {
            try client.send(Array(three[..<split]))
            try client.send(Array(three[split...]))
            for id in UInt16(0)..<3 {
                #expect(try client.receiveFrame().flatMap(responseID) == id, "split at \(split)")
            }
        }
    }

    /// The client leaves with a reset: between queries, inside one, and with responses on the way.
    @Test(arguments: [framed(query(1)), [0, 29, 1, 2], manyFrames])
    func `of a client that resets the connection end it, and nothing else`(sent: [UInt8]) throws {
        let server = try TestServer()
        let other = try TestClient(.tcp, to: server.address)
        for round in UInt16(1)...10 {
            let client = try TestClient(.tcp, to: server.address)
            try client.send(sent)
            try client.reset()
            try other.send(framed(query(round)))
            #expect(try other.receiveFrame().flatMap(responseID) == round)
        }
        #expect(eventually { server.workers.statistics.connectionsClosed == 10 })
    }

    @Test func `are answered when the client has closed its side, and then the server closes`()
        throws
    {
        let server = try TestServer()
        let client = try TestClient(.tcp, to: server.address)
        try client.send((0..<20).flatMap { framed(query($0)) })
        try client.finishSending()
        for id in UInt16(0)..<20 {
            #expect(try client.receiveFrame().flatMap(responseID) == id)
        }
        #expect(try client.receive() == [])
        #expect(eventually { server.workers.statistics.connectionsClosed == 1 })
    }

    @Test func `an empty frame closes the connection after the answers before it`() throws {
        let server = try TestServer()
        let client = try TestClient(.tcp, to: server.address)
        try client.send(framed(query(5)) + [0, 0])
        #expect(try client.receiveFrame().flatMap(responseID) == 5)
        #expect(try client.receive() == [])
    }

    @Test func `past the limit of connections the one idle longest goes`() throws {
        var limits = TransportLimits.patient
        limits.connectionCountMax = 2
        let server = try TestServer(limits: limits)
        let first = try TestClient(.tcp, to: server.address)
        #expect(eventually { server.workers.statistics.connectionsOpened == 1 })
        let second = try TestClient(.tcp, to: server.address)
        #expect(eventually { server.workers.statistics.connectionsOpened == 2 })
        try first.send(framed(query(1)))
        #expect(try first.receiveFrame().flatMap(responseID) == 1)

        let third = try TestClient(.tcp, to: server.address)
        #expect(try second.receive() == [])
        for client in [first, third] {
            try client.send(framed(query(3)))
            #expect(try client.receiveFrame().flatMap(responseID) == 3)
        }
        #expect(server.workers.statistics.connectionsLimited == 1)
    }

    @Test func `an idle connection is closed`() throws {
        var limits = TransportLimits.patient
        limits.idleTimeout = .milliseconds(100)
        let server = try TestServer(limits: limits)
        let client = try TestClient(.tcp, to: server.address)
        #expect(try client.receive() == [])
        #expect(eventually { server.workers.statistics.connectionsClosed == 1 })
    }

    /// A client that writes until nothing more is taken, and only then reads.
    @Test func `of a client that does not read wait, and none is lost`() throws {
        let server = try TestServer()
        let client = try TestClient(.tcp, to: server.address)
        let block = Array(repeatElement(framed(query(9)), count: 1000).joined())
        var sent = 0
        var stalls = 0
        while stalls < 10, sent < 256 << 20 {
            let from = sent % block.count
            let outcome = block[from...].withUnsafeBytes { bytes in
                attempt {
                    send(
                        client.descriptor.number, bytes.baseAddress, bytes.count,
                        Int32(MSG_DONTWAIT))
                }
            }
            if case .success(let count) = outcome {
                sent += count
                stalls = 0
            } else {
                stalls += 1
                usleep(20_000)
            }
        }
        #expect(stalls == 10, "the server kept on reading")
        // The rest of the query in the middle of which the kernel stopped taking.
        let frameCount = (sent + framed(query(9)).count - 1) / framed(query(9)).count
        let end = frameCount * framed(query(9)).count
        // Another client is served meanwhile.
        let other = try TestClient(.tcp, to: server.address)
        try other.send(framed(query(1)))
        #expect(try other.receiveFrame().flatMap(responseID) == 1)

        let first = try #require(try client.receiveFrame())
        #expect(responseID(first) == 9)
        let responseByteCount = 2 + first.count
        var left = frameCount * responseByteCount - responseByteCount
        var unsent = Array(block[(sent % block.count)...].prefix(end - sent))
        while left > 0 {
            if !unsent.isEmpty, left < frameCount * responseByteCount / 2 {
                try client.send(unsent)
                unsent = []
            }
            let count = try client.receive(atMost: min(left, 65_536)).count
            #expect(count > 0)
            if count == 0 { break }
            left -= count
        }
        #expect(left == 0)
        #expect(server.workers.statistics.streamQueries == UInt64(frameCount + 1))
    }

    @Test func `that have arrived are answered before the workers stop`() throws {
        let listeners = try Listeners([try listenAddress("127.0.0.1@0")], workerCount: 2)
        let clients = try (0..<6).map { _ in
            try TestClient(.tcp, to: listeners.boundAddresses[0])
        }
        for client in clients { try client.send((0..<30).flatMap { framed(query($0)) } + [0, 44]) }
        let workers = try Workers(listeners, snapshots: emptySnapshots(), seed: 1)
        workers.stop()
        for client in clients {
            for id in UInt16(0)..<30 {
                #expect(try client.receiveFrame().flatMap(responseID) == id)
            }
            #expect(try client.receive() == [])
        }
        #expect(workers.statistics.connectionsClosed == 6)
    }

    /// A client that keeps on asking and reading does not keep the server from stopping.
    @Test func `do not end, and the server stops all the same`() throws {
        let server = try TestServer()
        let client = try TestClient(.tcp, to: server.address)
        let block = (0..<200).flatMap { framed(query($0)) }
        // Both end when the server closes the connection.
        Thread.detachNewThread { while (try? client.send(block)) != nil {} }
        Thread.detachNewThread { while let bytes = try? client.receive(), !bytes.isEmpty {} }
        #expect(eventually { server.workers.statistics.streamQueries > 1000 })
        let start = ContinuousClock.now
        server.workers.stop()
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(server.workers.statistics.connectionsClosed == 1)
    }

    @Test func `stopping leaves the port free`() throws {
        let server = try TestServer()
        let client = try TestClient(.tcp, to: server.address)
        try client.send(framed(query(1)))
        #expect(try client.receiveFrame().flatMap(responseID) == 1)
        server.workers.stop()
        #expect(try client.receive() == [])
        _ = try Listeners([server.address], workerCount: 1)
    }
}
