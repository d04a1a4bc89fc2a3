import Addressing
import Testing

@testable import Transport

@Suite("Queries over UDP")
struct DatagramTests {
    @Test(arguments: ["127.0.0.1@0", "[::1]@0", "0.0.0.0@0"])
    func `are answered`(listen: String) throws {
        let server = try TestServer(listen, workerCount: 2)
        var address = server.address
        if address.isWildcard { address.address = IPAddress(ipv4: 0x7f00_0001) }
        let client = try TestClient(.udp, to: address)
        try client.send(query(0x1234))
        #expect(responseID(try client.receive()) == 0x1234)
    }

    @Test func `many, from many clients, each get their own answer`() throws {
        let server = try TestServer(workerCount: 2)
        let clients = try (0..<8).map { _ in try TestClient(.udp, to: server.address) }
        for round in 0..<40 {
            for client in clients {
                for index in 0..<16 { try client.send(query(UInt16(round * 16 + index))) }
            }
            for client in clients {
                let identifiers = try (0..<16).map { _ in responseID(try client.receive()) }
                #expect(Set(identifiers) == Set((0..<16).map { UInt16(round * 16 + $0) }))
            }
        }
        #expect(eventually { server.workers.statistics.datagramsAnswered == 8 * 40 * 16 })
        #expect(server.workers.statistics.datagramsReceived == 8 * 40 * 16)
        #expect(server.workers.statistics.datagramsDropped == 0)
    }

    /// The client is connected to 127.0.0.2, so that it would not see a reply from elsewhere.
    @Test func `to one of a wildcard socket's addresses are answered from that address`() throws {
        let server = try TestServer("0.0.0.0@0")
        for last in UInt32(2)...5 {
            let address = ListenAddress(
                IPAddress(ipv4: 0x7f00_0000 + last), port: server.address.port)
            let client = try TestClient(.udp, to: address)
            try client.send(query(UInt16(last)))
            #expect(responseID(try client.receive()) == UInt16(last))
        }
    }

    @Test func `to an IPv6 wildcard socket are answered, and IPv4 stays apart`() throws {
        // A client of another test may have the same port in IPv4: then once more.
        var isIPv4PortFree = false
        for _ in 0..<10 where !isIPv4PortFree {
            let server = try TestServer("[::]@0")
            let port = server.address.port
            let client = try TestClient(.udp, to: ListenAddress(IPAddress(ipv6: 1), port: port))
            try client.send(query(7))
            #expect(responseID(try client.receive()) == 7)
            // The IPv4 port is free for somebody else: the IPv6 socket has not taken it.
            do throws(ListenError) {
                _ = try Listeners([ListenAddress(IPAddress(ipv4: 0), port: port)], workerCount: 1)
                isIPv4PortFree = true
            } catch {
                #expect(error.reason == .addressInUse)
            }
        }
        #expect(isIPv4PortFree)
    }

    @Test func `too short or too long are dropped and counted, and the next one is answered`()
        throws
    {
        let server = try TestServer()
        let client = try TestClient(.udp, to: server.address)
        try client.send([1, 2, 3, 4, 5])
        try client.send(query(1) + [UInt8](repeating: 0, count: 2000))
        try client.send(query(2))
        #expect(responseID(try client.receive()) == 2)
        #expect(eventually { server.workers.statistics.datagramsReceived == 3 })
        #expect(eventually { server.workers.statistics.datagramsDropped == 2 })
    }

    /// Of few sockets and of many, which are waited for in two ways; beside a connection.
    @Test(arguments: [2, 9, 200])
    func `at each of many addresses are answered`(count: Int) throws {
        let addresses = try (1...count).map { try listenAddress("127.0.9.\($0)@0") }
        let listeners = try Listeners(addresses, workerCount: 1)
        let bound = listeners.boundAddresses
        let workers = try Workers(
            listeners, snapshots: emptySnapshots(), seed: 1, limits: .patient)
        let stream = try TestClient(.tcp, to: bound[0])
        let clients = try bound.map { try TestClient(.udp, to: $0) }
        for round in 0..<3 {
            for (number, client) in clients.enumerated() {
                try client.send(query(UInt16(1000 * round + number)))
            }
            for (number, client) in clients.enumerated() {
                #expect(responseID(try client.receive()) == UInt16(1000 * round + number))
            }
            try stream.send(framed(query(UInt16(round))))
            #expect(responseID(try #require(try stream.receiveFrame())) == UInt16(round))
        }
        workers.stop()
        #expect(workers.statistics.datagramsAnswered == 3 * UInt64(count))
    }

    /// The queries wait in the sockets before there is a worker; it is told to stop at once.
    @Test func `that have arrived are answered before the workers stop`() throws {
        let listeners = try Listeners([try listenAddress("127.0.0.1@0")], workerCount: 2)
        let clients = try (0..<4).map { _ in
            try TestClient(.udp, to: listeners.boundAddresses[0])
        }
        for client in clients { for id in 0..<50 { try client.send(query(UInt16(id))) } }
        let workers = try Workers(listeners, snapshots: emptySnapshots(), seed: 1)
        workers.stop()
        for client in clients {
            let identifiers = try (0..<50).map { _ in responseID(try client.receive()) }
            #expect(identifiers == (0..<50).map { UInt16($0) })
        }
        #expect(workers.statistics.datagramsAnswered == 200)
        workers.stop()
    }
}
