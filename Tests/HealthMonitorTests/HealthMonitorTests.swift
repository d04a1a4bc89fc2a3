import Addressing
import Foundation
import Health
import HealthMonitor
import Synchronization
import TestSupport
import Testing

@Suite struct HealthMonitorTests {
    // MARK: - Up, down and back

    @Test func aFrontDoorThatAnswersIsUp() throws {
        let server = try LoopbackServer(.status(200))
        defer { server.stop() }
        let watcher = Watcher()
        let identifier = try watcher.watch(
            Probe(
                .quick(.http(path: "/healthz?deep=1"), port: server.port, host: "app.invalid"),
                of: try address("127.0.0.1")))
        #expect(watcher.monitor.table[identifier] == .up)
        let report = try watcher.report(of: identifier)
        #expect(report.words == "status 200")
        #expect(report.since != nil)
        #expect(report.lastResult?.statusCode == 200)
        // The name does not exist (RFC 2606 §2), so it was not resolved.
        let request = try #require(server.visits.first?.request)
        #expect(request.hasPrefix("GET /healthz?deep=1 HTTP/1.1\r\n"))
        #expect(request.contains("\r\nHost: app.invalid\r\n"))
        #expect(request.contains("\r\nUser-Agent: geodns-health/1\r\n"))
    }

    /// The server counts the requests it has failed at the moment the transition is told: the
    /// monitor starts no other probe of it meanwhile.
    @Test(arguments: [
        (LoopbackServer.Behaviour.status(500), "status 500, expected 200-299"),
        (.hang, "no answer within 500 ms"),
        (.redirect(to: "/elsewhere"), "status 302, expected 200-299"),
        (.garbage, "answer is not HTTP"),
        (.silence, "connection closed without an answer"),
    ])
    func aFailingFrontDoorIsOutAfterFallProbesAndBackAfterRise(
        behaviour: LoopbackServer.Behaviour, reason: String
    ) async throws {
        let server = try LoopbackServer(.status(200))
        defer { server.stop() }
        let failureCounts = Mutex<[Int]>([])
        let watcher = Watcher { _ in
            failureCounts.withLock { $0.append(server.visitCountSinceChange) }
        }
        let identifier = try watcher.watch(
            Probe(
                .quick(.http(path: "/"), port: server.port, timeout: .milliseconds(500)),
                of: try address("127.0.0.1")))
        #expect(watcher.monitor.table[identifier] == .up)
        #expect(await eventually { server.visitCount > 3 })

        server.behave(behaviour)
        #expect(await watcher.isTold(identifier, is: .down))
        let down = try #require(watcher.transitions.last)
        #expect(down.transition?.from == .up)
        #expect(down.transition?.reason == reason)
        #expect(down.consecutiveFailures == 3)
        #expect(failureCounts.withLock { $0.last } == 3)

        server.behave(.status(204))
        #expect(await watcher.isTold(identifier, is: .up))
        let back = try #require(watcher.transitions.last)
        #expect(back.consecutiveSuccesses == 2)
        #expect(failureCounts.withLock { $0.last } == 2)
        #expect(watcher.transitions.compactMap(\.transition?.to) == [.up, .down, .up])
        // Each change was published, whole.
        #expect(await eventually { watcher.tables.map { $0[identifier] } == [.up, .down, .up] })
    }

    @Test(arguments: ["127.0.1.7", "::1"])
    func aKilledFrontDoorRefusesAndIsOut(text: String) async throws {
        let port = freePort(on: text)
        var door: TestFrontDoor? = try TestFrontDoor(text, port: port)
        let watcher = Watcher()
        let here = try address(text)
        let identifiers = watcher.monitor.watch([
            Probe(.quick(.http(path: "/healthz"), port: port), of: here),
            Probe(.quick(.tcp, port: port), of: here),
        ])
        #expect(watcher.monitor.waitForFirstResults(of: identifiers, atMost: .patience))
        for identifier in identifiers { #expect(watcher.monitor.table[identifier] == .up) }

        #expect(door?.process.stop() == 0)
        door = nil
        for identifier in identifiers {
            #expect(await watcher.isTold(identifier, is: .down))
        }
        for down in watcher.transitions.filter({ $0.transition?.to == .down }) {
            #expect(down.transition?.reason == "connection refused")
            #expect(down.consecutiveFailures == 3)
            #expect(down.lastResult?.phase == .connect)
        }

        door = try TestFrontDoor(text, port: port)
        for identifier in identifiers {
            #expect(await watcher.isTold(identifier, is: .up))
        }
        #expect(watcher.transitions.suffix(2).allSatisfy { $0.consecutiveSuccesses == 2 })
        watcher.monitor.stop()
        #expect(door?.process.stop() == 0)
    }

    @Test(arguments: [
        ("hang", "no answer within 300 ms"), ("slow-headers", "no end within 300 ms"),
        ("close", "connection"), ("500", "status 500, expected 200-299"),
    ])
    func frontDoorModesAreDownFromTheFirstResult(mode: String, reason: String) throws {
        let port = freePort(on: "127.0.1.8")
        let door = try TestFrontDoor("127.0.1.8", port: port, mode: mode)
        let watcher = Watcher()
        let identifier = try watcher.watch(
            Probe(
                .quick(.http(path: "/"), port: port, timeout: .milliseconds(300)),
                of: try address("127.0.1.8")))
        #expect(watcher.monitor.table[identifier] == .down)
        let words = try watcher.report(of: identifier).words
        #expect(words.contains(reason), "\(words)")
        door.process.stop()
    }

    @Test func aBodyWithoutEndIsCutOffAndPassesOnItsStatus() throws {
        let server = try LoopbackServer(.endlessBody)
        defer { server.stop() }
        let watcher = Watcher()
        let identifier = try watcher.watch(
            Probe(.quick(.http(path: "/"), port: server.port), of: try address("127.0.0.1")))
        #expect(try watcher.report(of: identifier).words == "status 200")
        #expect(watcher.monitor.table[identifier] == .up)
    }

    // MARK: - Where probes come from

    @Test func probesComeFromTheSourceAsked() throws {
        let server = try LoopbackServer(on: "127.0.0.1", .status(200))
        defer { server.stop() }
        let watcher = Watcher()
        let source = try address("127.0.0.9")
        let check = CheckSpecification.quick(.http(path: "/"), port: server.port, source: source)
        let identifier = try watcher.watch(Probe(check, of: try address("127.0.0.1")))
        #expect(watcher.monitor.table[identifier] == .up)
        #expect(server.visits.first?.peer == "127.0.0.9")
    }

    @Test func aSourceThatIsNotOursIsNamed() throws {
        let watcher = Watcher()
        let source = try address("192.0.2.77")
        let check = CheckSpecification.quick(.tcp, port: 9, source: source)
        let identifier = try watcher.watch(Probe(check, of: try address("127.0.0.1")))
        #expect(watcher.monitor.table[identifier] == .down)
        let words = try watcher.report(of: identifier).words
        #expect(words == "cannot send from 192.0.2.77: not an address of this server")
    }

    // MARK: - Watching and forgetting

    @Test func forgottenProbesStop() async throws {
        let (kept, forgotten) = (
            try LoopbackServer(.status(200)), try LoopbackServer(.status(200))
        )
        defer {
            kept.stop()
            forgotten.stop()
        }
        let watcher = Watcher()
        let here = try address("127.0.0.1")
        let identifiers = watcher.monitor.watch(
            [kept, forgotten].map { Probe(.quick(.http(path: "/"), port: $0.port), of: here) })
        #expect(watcher.monitor.waitForFirstResults(of: identifiers, atMost: .patience))
        watcher.monitor.retain(only: [identifiers[0]])
        #expect(watcher.monitor.table[identifiers[1]] == .unknown)
        #expect(watcher.monitor.report(of: identifiers).count == 1)

        // One that was under way is abandoned; ten more paces of the other bring nothing.
        let soon = kept.visitCount + 2
        #expect(await eventually { kept.visitCount >= soon })
        let countThen = forgotten.visitCount
        #expect(await eventually { kept.visitCount >= soon + 10 })
        #expect(forgotten.visitCount == countThen)
        // The published table forgot it as well.
        #expect(watcher.tables.last?[identifiers[1]] == .unknown)
    }

    @Test func theSameProbeIsWatchedOnce() throws {
        let server = try LoopbackServer(.status(200))
        defer { server.stop() }
        let watcher = Watcher()
        let probe = Probe(
            CheckSpecification(.http(path: "/"), port: server.port, every: .seconds(60)),
            of: try address("127.0.0.1"))
        let identifier = try watcher.watch(probe)
        #expect(watcher.monitor.watch([probe, probe]) == [identifier, identifier])
    }

    @Test func waitingForFirstResultsEndsInTime() throws {
        let server = try LoopbackServer(.hang)
        defer { server.stop() }
        let watcher = Watcher()
        let identifiers = watcher.monitor.watch([
            Probe(
                .quick(.http(path: "/"), port: server.port, timeout: .seconds(60)),
                of: try address("127.0.0.1"))
        ])
        #expect(
            !watcher.monitor.waitForFirstResults(of: identifiers, atMost: .milliseconds(200)))
        #expect(watcher.monitor.table[identifiers[0]] == .unknown)
        // Stopping does not wait for the probe under way.
        let before = MonotonicTime.now()
        watcher.monitor.stop()
        watcher.monitor.stop()
        #expect(MonotonicTime.now() - before < .seconds(30))
        #expect(watcher.transitions.isEmpty)
    }

    @Test func hundredsOfProbesAreAllProbedAtOnceAndAgain() async throws {
        let server = try LoopbackServer(on: "0.0.0.0", .status(200))
        defer { server.stop() }
        let watcher = Watcher()
        let check = CheckSpecification(
            .http(path: "/"), port: server.port, every: .milliseconds(500), timeout: .seconds(20))
        let probes = (0..<400).map { Probe(check, of: IPAddress(ipv4: 0x7F01_0000 + $0)) }
        let identifiers = watcher.monitor.watch(probes)
        #expect(Set(identifiers).count == 400)
        #expect(watcher.monitor.waitForFirstResults(of: identifiers, atMost: .patience))
        #expect(identifiers.allSatisfy { watcher.monitor.table[$0] == .up })
        #expect(
            await eventually {
                watcher.monitor.report(of: identifiers).allSatisfy { $0.consecutiveSuccesses > 2 }
            })
        #expect(await eventually { watcher.transitions.count == 400 })
    }
}
