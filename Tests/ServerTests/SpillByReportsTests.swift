import Foundation
import TestSupport
import Testing

/// Regions that spill by what their front doors report, end to end: each door tells how much it
/// was sent, and whoever is handed on is counted at the other one.
@Suite struct SpillByReports {
    private static let name = "app.example.com"
    private static let clients = (0..<400).map { "20.\($0 / 250).\($0 % 250).0/24" }

    private let near: ScriptedDoor
    private let far: ScriptedDoor
    private let server: TestServer

    init() throws {
        near = try ScriptedDoor("127.0.2.31", SpillByReports.report(0))
        far = try ScriptedDoor("127.0.2.32", SpillByReports.report(0))
        let zone =
            zoneHead + """
                near  CHECK load /load port=\(near.port) every=1s
                      REGION 50 8 check=near capacity=100
                      A \(near.address)
                far   CHECK load /load port=\(far.port) every=1s
                      REGION 40 -70 check=far capacity=1000
                      A \(far.address)
                app   60/10 GEO failover near far

                """
        server = try TestServer(zones: [("example.com.zone", zone)])
    }

    private static func report(_ requestsPerSecond: Double) -> ScriptedDoor.Act {
        let body = "{\"requestsPerSecond\": \(requestsPerSecond)}"
        let head = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        return .respond(Array((head + body).utf8))
    }

    /// The part of the clients that the nearer door gets; from now on both doors tell what that is
    /// of so many requests a second. Nil: a client got no answer, or another one.
    private func part(of requestsPerSecond: Double) -> Double? {
        var count = 0
        for client in SpillByReports.clients {
            switch server.client.addresses(SpillByReports.name, subnet: client) {
            case [near.address]: count += 1
            case [far.address]: break
            default: return nil
            }
        }
        let part = Double(count) / Double(SpillByReports.clients.count)
        near.behave(then: SpillByReports.report(requestsPerSecond * part))
        far.behave(then: SpillByReports.report(requestsPerSecond * (1 - part)))
        return part
    }

    private func events(_ name: String) -> [Substring] {
        server.process.text.split(separator: "\n").filter { $0.contains(" \(name) ") }
    }

    /// Whether the part is so much, again and again: longer than it takes to look twice.
    private func settles(at wanted: ClosedRange<Double>, of requestsPerSecond: Double) -> Bool {
        var since: Date?
        return eventually(seconds: 120) {
            let own = part(of: requestsPerSecond)
            guard let own, wanted ~= own else {
                since = nil
                return false
            }
            let start = since ?? Date()
            since = start
            return Date().timeIntervalSince(start) > 11
        }
    }

    @Test func aRegionThatReportsTooMuchHandsOnWhatItCannotCarry() throws {
        // There is room for all.
        #expect(settles(at: 1...1, of: 80))
        #expect(events("spill:") == [])
        // Of 160 it can carry 100. How many there are more is believed little by little, while
        // reports may be late: so it may still have some too many.
        #expect(settles(at: 0.56...0.8, of: 160))
        #expect(events("spill:").count == 1)
        #expect(events("spill:").first?.contains("target=near ") == true)
        let (status, text) = try server.control("status")
        #expect(status == 0)
        #expect(text.contains(/spilling +near, wanted 1\d\d of 100: far \d/), "\(text)")
    }
}
