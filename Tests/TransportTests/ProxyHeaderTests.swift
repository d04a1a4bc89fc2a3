import Addressing
import Testing

@testable import Transport

/// A header as the specification's section 2.2 lays it out.
struct Header {
    var versionAndCommand: UInt8 = 0x21
    var familyAndTransport: UInt8 = 0x11
    /// Addresses, ports and TLVs.
    var block: [UInt8] = Header.ipv4
    /// Nil: as long as the block is.
    var length: Int?

    static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]
    /// 203.0.113.7, port 40000, to 192.0.2.53, port 53.
    static let ipv4: [UInt8] = [203, 0, 113, 7, 192, 0, 2, 53, 0x9c, 0x40, 0, 53]
    /// 2001:db8::7 to 2001:db8::53.
    static let ipv6: [UInt8] =
        [0x20, 1, 0x0d, 0xb8] + Array(repeating: 0, count: 11) + [7]
        + [0x20, 1, 0x0d, 0xb8] + Array(repeating: 0, count: 11) + [0x53]
        + [0x9c, 0x40, 0, 53]
    /// PP2_TYPE_NOOP of three bytes.
    static let option: [UInt8] = [4, 0, 3, 1, 2, 3]

    var bytes: [UInt8] {
        let length = length ?? block.count
        return Header.signature + [versionAndCommand, familyAndTransport]
            + [UInt8(length >> 8), UInt8(length & 0xff)] + block
    }

    /// For an IPv4 client.
    static func naming(_ client: String) throws -> [UInt8] {
        var header = Header()
        header.block.replaceSubrange(0..<4, with: try #require(IPAddress(client)).bytes)
        return header.bytes
    }
}

/// haproxy.org, doc/proxy-protocol.txt, section 2.2.
@Suite("The header of the PROXY protocol")
struct ProxyHeaderTests {
    func decode(_ bytes: some Sequence<UInt8>) -> ProxyHeader.Verdict {
        let bytes = Array(bytes)
        return ProxyHeader.decode(bytes.span)
    }

    func verdict(_ header: Header) -> ProxyHeader.Verdict { decode(header.bytes) }

    func accepted(_ byteCount: Int, _ client: String?) -> ProxyHeader.Verdict {
        .header(byteCount: byteCount, client: client.flatMap { IPAddress($0) })
    }

    @Test(arguments: [UInt8(0x11), 0x12])
    func `names an IPv4 client, over either transport`(kind: UInt8) {
        #expect(verdict(Header(familyAndTransport: kind)) == accepted(28, "203.0.113.7"))
    }

    @Test(arguments: [UInt8(0x21), 0x22])
    func `names an IPv6 client, over either transport`(kind: UInt8) {
        let header = Header(familyAndTransport: kind, block: Header.ipv6)
        #expect(verdict(header) == accepted(52, "2001:db8::7"))
    }

    @Test func `names an IPv4 client in an IPv6 address`() {
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 203, 0, 113, 7]
        let header = Header(familyAndTransport: 0x21, block: mapped + Header.ipv6.dropFirst(16))
        #expect(verdict(header) == accepted(52, "203.0.113.7"))
    }

    @Test func `is as long as it says, options and all`() {
        #expect(
            verdict(Header(block: Header.ipv4 + Header.option)) == accepted(34, "203.0.113.7"))
        let longest = Header.ipv4 + [UInt8](repeating: 9, count: 65_535 - 12)
        #expect(verdict(Header(block: longest)) == accepted(65_551, "203.0.113.7"))
        #expect(Header(block: longest).bytes.count == ProxyHeader.byteCountMax)
    }

    @Test func `leaves the query behind it alone`() {
        let bytes = Header().bytes + [1, 2, 3]
        #expect(decode(bytes) == accepted(28, "203.0.113.7"))
    }

    /// LOCAL: the family is ignored whatever it is, and the block skipped.
    @Test(arguments: [UInt8(0x00), 0x11, 0x21, 0x32, 0xff])
    func `may be the proxy's own`(kind: UInt8) {
        let empty = Header(versionAndCommand: 0x20, familyAndTransport: kind, block: [])
        #expect(verdict(empty) == accepted(16, nil))
        let full = Header(versionAndCommand: 0x20, familyAndTransport: kind)
        #expect(verdict(full) == accepted(28, nil))
    }

    /// Unspecified family or transport, and UNIX sockets, which have no address of use.
    @Test(arguments: [UInt8(0x00), 0x01, 0x02, 0x10, 0x20, 0x30, 0x31, 0x32])
    func `may name nobody`(kind: UInt8) {
        #expect(verdict(Header(familyAndTransport: kind)) == accepted(28, nil))
    }

    @Test(arguments: [
        Header(versionAndCommand: 0x11), Header(versionAndCommand: 0x31),
        Header(versionAndCommand: 0x22), Header(versionAndCommand: 0x2f),
        Header(familyAndTransport: 0x41), Header(familyAndTransport: 0xf1),
        Header(familyAndTransport: 0x13), Header(familyAndTransport: 0x2f),
        Header(familyAndTransport: 0x03), Header(length: 11),
        Header(familyAndTransport: 0x21, block: Header.ipv6, length: 35),
        Header(block: []),
    ])
    func `is malformed with what the specification does not know`(header: Header) {
        #expect(verdict(header) == .malformed)
        // That can be seen before all of it is there.
        #expect(decode(header.bytes[..<16]) == .malformed)
    }

    @Test func `is incomplete to its last byte`() {
        for header in [Header(), Header(familyAndTransport: 0x22, block: Header.ipv6)] {
            for count in 0..<header.bytes.count {
                #expect(decode(header.bytes[..<count]) == .incomplete)
            }
        }
    }

    @Test func `is malformed from the first byte that differs`() {
        let bytes = Header().bytes
        for index in 0..<12 {
            var wrong = bytes
            wrong[index] ^= 1
            #expect(decode(wrong[...index]) == .malformed)
            #expect(decode(wrong) == .malformed)
        }
        // Version 1 is text.
        let text = Array("PROXY TCP4 203.0.113.7 192.0.2.53 40000 53\r\n".utf8)
        #expect(decode(text) == .malformed)
    }

    @Test func `of random bytes never claims more than there are`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = Header().bytes + [1, 2, 3]
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                bytes[Int.random(in: 12..<bytes.count, using: &random)] = .random(in: 0...255)
            }
            let count = Int.random(in: 0...bytes.count, using: &random)
            let whole = decode(bytes)
            switch decode(bytes[..<count]) {
            case .incomplete: break
            // More bytes do not change what has been said.
            case .malformed: #expect(whole == .malformed)
            case .header(let byteCount, let client):
                #expect(byteCount <= count)
                #expect(whole == .header(byteCount: byteCount, client: client))
            }
        }
    }
}

@Suite("A TCP connection from a proxy")
struct ProxiedConnectionTests {
    static let peer = IPAddress(ipv4: 0xc000_0201)
    let reading = StreamConnection.Action.wait(reading: true, writing: false)

    func conversation() -> StreamConnectionTests.Conversation {
        var talk = StreamConnectionTests.Conversation()
        talk.connection = StreamConnection(
            from: Self.peer, isProxied: true, openedAt: talk.now, idleTimeout: .seconds(15),
            transferTimeout: .seconds(10))
        return talk
    }

    @Test func `is its client's, wherever header and query are split`() {
        let bytes = Header(block: Header.ipv4 + Header.option).bytes + framed([1, 2]) + framed([3])
        for split in 0...bytes.count {
            var talk = conversation()
            _ = talk.receive(Array(bytes[..<split]))
            _ = talk.receive(Array(bytes[split...]))
            #expect(talk.queries == [[1, 2], [3]], "split at \(split)")
            #expect(talk.connection.client.description == "203.0.113.7", "split at \(split)")
        }
    }

    @Test func `is the proxy's own when the header says so`() {
        var talk = conversation()
        let header = Header(versionAndCommand: 0x20, familyAndTransport: 0, block: [])
        _ = talk.receive(header.bytes + framed([1]))
        #expect(talk.queries == [[1]])
        #expect(talk.connection.client == Self.peer)
    }

    @Test func `may have the longest header, and the longest query after it`() {
        var talk = conversation()
        let query = [UInt8](repeating: 5, count: 65_535)
        let header = Header(block: Header.ipv4 + [UInt8](repeating: 9, count: 65_535 - 12))
        _ = talk.receive(header.bytes + framed(query))
        #expect(talk.queries == [query])
    }

    @Test func `is closed without a header`() {
        var talk = conversation()
        #expect(talk.receive(framed([1, 2, 3])) == .close(.badProxyHeader))
        #expect(talk.queries == [])
    }

    @Test func `is closed when it ends inside the header, and may end before it`() {
        var talk = conversation()
        #expect(talk.receive(Array(Header().bytes.dropLast())) == reading)
        #expect(talk.connection.receivedEnd() == .close(.badProxyHeader))
        var silent = conversation()
        #expect(silent.connection.receivedEnd() == .close(.finished))
    }

    @Test func `that drips its header is cut off`() {
        var talk = conversation()
        _ = talk.receive([13])
        talk.now += .seconds(9)
        _ = talk.receive([10])
        #expect(talk.connection.ticked(at: talk.now) == reading)
        #expect(talk.connection.ticked(at: talk.now + .seconds(1)) == .close(.slow))
    }

    @Test func `has one header, not one before each query`() {
        var talk = conversation()
        _ = talk.receive(Header().bytes + framed([1]) + Header().bytes)
        // 0x0d0a, read as a length.
        #expect(talk.queries == [[1]])
        #expect(talk.connection.client.description == "203.0.113.7")
    }

    @Test func `from elsewhere is not asked for a header`() {
        var talk = StreamConnectionTests.Conversation()
        _ = talk.receive(Header().bytes)
        #expect(talk.connection.client == Self.peer)
        #expect(talk.queries == [])
    }
}

@Suite("Proxies")
struct ProxyTests {
    static let proxy = "127.0.5.1"

    func server(_ limits: TransportLimits = .patient) throws -> TestServer {
        let prefix = try #require(Prefix("127.0.5.0/24"))
        return try TestServer(limits: limits, proxies: ProxySources([prefix]))
    }

    @Test func `put a header before every datagram`() throws {
        let server = try server()
        let proxy = try TestClient(.udp, to: server.address, from: Self.proxy)
        try proxy.send(query(1))
        try proxy.send(Header(familyAndTransport: 0x13).bytes + query(2))
        try proxy.send(Array(Header().bytes.dropLast()))
        try proxy.send([13])
        // Health checks: nothing is asked.
        try proxy.send(Header(versionAndCommand: 0x20, block: []).bytes)
        try proxy.send(Header(versionAndCommand: 0x20, block: []).bytes + query(3))
        #expect(responseID(try proxy.receive()) == 3)
        try proxy.send(
            Header(familyAndTransport: 0x22, block: Header.ipv6 + Header.option).bytes + query(4))
        #expect(responseID(try proxy.receive()) == 4)
        #expect(server.workers.statistics.proxyHeadersRejected == 4)
        // Counted after the last response has left.
        #expect(eventually { server.workers.statistics.datagramsReceived == 7 })
        #expect(server.workers.statistics.datagramsDropped == 5)
    }

    @Test func `put a header at the start of every connection`() throws {
        let server = try server()
        let proxy = try TestClient(.tcp, to: server.address, from: Self.proxy)
        try proxy.send(Header().bytes + framed(query(1)) + framed(query(2)))
        #expect(try proxy.receiveFrame().flatMap(responseID) == 1)
        #expect(try proxy.receiveFrame().flatMap(responseID) == 2)
        let silent = try TestClient(.tcp, to: server.address, from: Self.proxy)
        try silent.send(framed(query(3)))
        // Closed, with a reset if the query was not read to its end.
        let answer = try? silent.receive()
        #expect(answer == nil || answer == [])
        #expect(eventually { server.workers.statistics.proxyHeadersRejected == 1 })
    }

    @Test(arguments: TransportProtocol.allCases)
    func `that are not listed are not believed`(transport: TransportProtocol) throws {
        let server = try server()
        let other = try TestClient(transport, to: server.address, from: "127.0.6.1")
        switch transport {
        case .udp:
            // As a message, the signature is a response: silence.
            try other.send(try Header.naming("203.0.113.7") + query(1))
            try other.send(query(2))
            #expect(responseID(try other.receive()) != 1)
            #expect(server.workers.statistics.proxyHeadersRejected == 0)
        case .tcp:
            try other.send(framed(query(2)))
            #expect(try other.receiveFrame().flatMap(responseID) == 2)
            // As a length, the signature announces 3338 bytes.
            try other.send(Header().bytes + [UInt8](repeating: 0, count: 4000))
            _ = try? other.receive()
            #expect(server.workers.statistics.proxyHeadersRejected == 0)
        }
    }

    /// One proxy has the connections of all its clients; each client has its own limit.
    @Test func `are not limited as one prefix, their clients are`() throws {
        var limits = TransportLimits.patient
        limits.connectionCountPerPrefixMax = 3
        let server = try server(limits)
        func connection(for client: String) throws -> TestClient {
            let client = try Header.naming(client)
            let connection = try TestClient(.tcp, to: server.address, from: Self.proxy)
            try connection.send(client + framed(query(1)))
            #expect(try connection.receiveFrame().flatMap(responseID) == 1)
            return connection
        }
        let many = try (1...10).map { try connection(for: "198.51.\($0).1") }
        #expect(server.workers.statistics.connectionsLimited == 0)
        let greedy = try (1...5).map { try connection(for: "203.0.113.\($0)") }
        #expect(server.workers.statistics.connectionsLimited == 2)
        #expect(try greedy[0].receive() == [])
        #expect(try greedy[1].receive() == [])
        for connection in many + greedy[2...] {
            try connection.send(framed(query(2)))
            #expect(try connection.receiveFrame().flatMap(responseID) == 2)
        }
    }
}
