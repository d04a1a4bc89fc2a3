import Addressing
import Testing

@testable import Transport

/// Who makes room for a new connection.
@Suite("The roster of connections")
struct ConnectionRosterTests {
    func prefix(_ text: String) throws -> Prefix {
        ConnectionRoster.prefix(of: try #require(IPAddress(text)))
    }

    @Test(arguments: [
        ("192.0.2.77", "192.0.2.0/24"), ("2001:db8:0:12ff::1", "2001:db8:0:1200::/56"),
        ("2001:db8:0:1300::1", "2001:db8:0:1300::/56"),
    ])
    func `counts an IPv4 24 and an IPv6 56`(client: String, expected: String) throws {
        #expect(try prefix(client).description == expected)
    }

    @Test func `the connection that was active longest ago of its prefix is named`() throws {
        var roster = ConnectionRoster(connectionCountMax: 4)
        let home = try prefix("192.0.2.1")
        #expect(roster.idleLongest(of: home) == nil)
        #expect(roster.firstToGo == nil)
        for connection in 0..<3 { roster.add(connection, of: home) }
        #expect(roster.count(of: home) == 3)
        #expect(roster.idleLongest(of: home) == 0)
        roster.touch(0)
        #expect(roster.idleLongest(of: home) == 1)
        roster.remove(1)
        #expect(roster.idleLongest(of: home) == 2)
        roster.touch(2)
        roster.remove(2)
        #expect(roster.idleLongest(of: home) == 0)
        roster.remove(0)
        #expect(roster.count(of: home) == 0)
        #expect(roster.firstToGo == nil)
        // Not on the roster any more.
        roster.touch(0)
        roster.remove(0)
        #expect(roster.count(of: home) == 0)
    }

    @Test func `the prefix with most connections gives first, idle or not`() throws {
        var roster = ConnectionRoster(connectionCountMax: 8)
        roster.add(0, of: try prefix("192.0.2.1"))
        for connection in 1..<4 { roster.add(connection, of: try prefix("198.51.100.1")) }
        for connection in 4..<6 { roster.add(connection, of: try prefix("2001:db8::1")) }
        for connection in 1..<4 { roster.touch(connection) }
        #expect(roster.firstToGo == 1)
        roster.remove(1)
        // Both have two now; 4 has been idle longer than 2.
        #expect(roster.firstToGo == 4)
        roster.remove(4)
        #expect(roster.firstToGo == 2)
        roster.remove(2)
        // All have one; the client of 0 has been idle longest.
        #expect(roster.firstToGo == 0)
        roster.touch(0)
        #expect(roster.firstToGo == 5)
    }

    /// Against lists that are searched from the start.
    @Test func `does what a slow model does`() throws {
        var random = SystemRandomNumberGenerator()
        let prefixes = try ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"].map(prefix)
        for _ in 0..<20 {
            var roster = ConnectionRoster(connectionCountMax: 12)
            // In the order of activity.
            var model: [(connection: Int, prefix: Prefix)] = []
            for _ in 0..<500 {
                let connection = Int.random(in: 0..<12, using: &random)
                let known = model.firstIndex { $0.connection == connection }
                switch (known, Int.random(in: 0..<3, using: &random)) {
                case (nil, _):
                    let prefix = try #require(prefixes.randomElement(using: &random))
                    roster.add(connection, of: prefix)
                    model.append((connection, prefix))
                case (let index?, 0):
                    roster.remove(connection)
                    model.remove(at: index)
                case (let index?, _):
                    roster.touch(connection)
                    model.append(model.remove(at: index))
                }
                for prefix in prefixes {
                    let own = model.filter { $0.prefix == prefix }
                    #expect(roster.count(of: prefix) == own.count)
                    #expect(roster.idleLongest(of: prefix) == own.first?.connection)
                }
                let largest = prefixes.map { prefix in
                    model.count { $0.prefix == prefix }
                }.max()
                let expected = model.first { member in
                    model.count { $0.prefix == member.prefix } == largest
                }
                #expect(roster.firstToGo == expected?.connection)
            }
        }
    }
}
