import Addressing
import Foundation
import Health
import TestSupport
import Testing

@testable import HealthMonitor

/// One kind of check, and what its front door must see of it, whatever was checked before.
private struct Turn {
    var name: String
    var check: CheckSpecification
    var address = "127.0.0.1"
    var state = HealthState.up
    var words = "status 200"
    /// Of the request: its first word, and its Host field. Nil: not looked at.
    var method: String?
    var host: String?
    var peer = "127.0.0.1"
}

// Transfers are used again for other checks; the fixture is CertificateTests'.
extension CertificateTests {
    /// Each kind of check comes right after each other, over one and the same transfer, and each
    /// does as if it were the first: nothing of the method, the Host field, the version, the
    /// source, the certificate or the body that another wanted is left.
    @Test func nothingIsLeftOfTheCheckBefore() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeCertificate("good", for: "DNS:app.example", by: "ours")
        let door = try LoopbackServer(.status(200))
        let http2Door = try ScriptedDoor("127.0.3.12", .http2(status: 200))
        let here = "127.0.1.28"
        let tlsPort = freePort(on: here)
        let tlsServer = try serve("good", on: here, port: tlsPort)
        defer {
            door.stop()
            http2Door.refuse()
            tlsServer.stop()
        }
        let watcher = Watcher(certificateAuthorities: authorities)
        defer { watcher.monitor.stop() }
        let turns = try turns(port: door.port, http2Port: http2Door.port, tlsPort: tlsPort)
        var number = 0
        for before in turns {
            for turn in turns {
                for turn in [before, turn] {
                    number += 1
                    try take(turn, number, watcher, door)
                }
            }
        }
    }

    private func turns(port: UInt16, http2Port: UInt16, tlsPort: UInt16) throws -> [Turn] {
        let path = "/"
        let own = "127.0.0.1:\(port)"
        var head = CheckSpecification(.http(path: path), port: port, host: "head.invalid")
        head.method = .head
        var options = CheckSpecification(.http(path: path), port: port)
        options.method = .options
        options.source = try address("127.0.0.9")
        var body = CheckSpecification(.http(path: path), port: port)
        body.contains = Array("ok".utf8)
        var http2 = CheckSpecification(.http(path: path), port: http2Port)
        http2.usesHTTP2 = true
        var otherName = CheckSpecification(.https(path: path), port: tlsPort, host: "www.example")
        otherName.serverName = "app.example"
        return [
            Turn(
                name: "plain", check: CheckSpecification(.http(path: path), port: port),
                method: "GET", host: own),
            Turn(name: "HEAD", check: head, method: "HEAD", host: "head.invalid"),
            Turn(
                name: "OPTIONS", check: options, method: "OPTIONS", host: own, peer: "127.0.0.9"),
            Turn(
                name: "body", check: body, words: "status 200, body as expected", method: "GET",
                host: own),
            Turn(name: "HTTP/2", check: http2, address: "127.0.3.12"),
            Turn(
                name: "https",
                check: CheckSpecification(.https(path: path), port: tlsPort, host: "app.example"),
                address: "127.0.1.28"),
            Turn(name: "SNI", check: otherName, address: "127.0.1.28"),
            Turn(
                name: "wrong name",
                check: CheckSpecification(.https(path: path), port: tlsPort, host: "www.example"),
                address: "127.0.1.28", state: .down,
                words: "certificate is for app.example, not www.example"),
            Turn(
                name: "tls",
                check: CheckSpecification(.tls, port: tlsPort, host: "app.example"),
                address: "127.0.1.28", words: "certificate is good"),
        ]
    }

    private func take(
        _ turn: Turn, _ number: Int, _ watcher: Watcher, _ door: LoopbackServer
    ) throws {
        var check = turn.check
        // A check of its own, that is made once.
        check.every = .seconds(3600 + number)
        check.fast = check.every
        let countBefore = door.visitCount
        let identifier = try watcher.watch(Probe(check, of: try address(turn.address)))
        let report = try watcher.report(of: identifier)
        #expect(report.state == turn.state, "\(turn.name): \(report.words)")
        #expect(report.words == turn.words, "\(turn.name)")
        guard let method = turn.method, let host = turn.host else { return }
        #expect(door.visitCount == countBefore + 1)
        let visit = try #require(door.visits.last)
        #expect(visit.peer == turn.peer, "\(turn.name)")
        #expect(visit.request.hasPrefix("\(method) / HTTP/1.1\r\n"), "\(turn.name)")
        #expect(visit.request.contains("\r\nHost: \(host)\r\n"), "\(turn.name)")
        #expect(visit.request.contains("\r\nUser-Agent: geodns-health/1\r\n"))
    }
}

@Suite struct TransferPoolTests {
    private func ticket() throws -> ProbeTicket {
        var list = Watchlist()
        _ = list.watch([try probe("127.0.0.1")], at: MonotonicTime(nanoseconds: 0))
        return try #require(
            list.takeDue(at: MonotonicTime(nanoseconds: 0), atMost: 1).first?.ticket)
    }

    private func probe(_ text: String) throws -> Probe {
        Probe(CheckSpecification(.http(path: "/"), port: 80), of: try address(text))
    }

    @Test func theTransferThatEndedLastIsUsedNext() throws {
        var pool = TransferPool(certificateAuthorities: nil)
        let ticket = try ticket()
        let first = try #require(pool.take(try probe("127.0.0.1"), ticket: ticket))
        let second = try #require(pool.take(try probe("127.0.0.2"), ticket: ticket))
        #expect(first !== second)
        pool.giveBack(first)
        pool.giveBack(second)
        let third = try #require(pool.take(try probe("2001:db8::3"), ticket: ticket))
        #expect(third === second)
        #expect(third.probe.url == "http://[2001:db8::3]:80/")
        #expect(third.probe.address == (try address("2001:db8::3")))
    }
}
