import DNSWire
import Foundation
import TestSupport
import Testing

/// Front doors that fail in every way, seen in the answers of a running server.
///
/// Probes are counted where they arrive, at the door, and by the server's `check` events; no wall
/// clock is looked at.
@Suite(.serialized) final class FrontDoorFailures {
    static let fall = 3
    static let rise = 2

    /// One way to fail, on an address of its own.
    struct Failure {
        var name: String
        var door: ScriptedDoor
        var bad: ScriptedDoor.Act
        var good: ScriptedDoor.Act
        /// In the log's words.
        var words: String
        var isSecure = false

        var zone: String {
            let check = isSecure ? "https / host=app.example" : "http /"
            return """
                \(name)  CHECK \(check) port=\(door.port) every=2s fast=100ms timeout=2s \
                fall=\(FrontDoorFailures.fall) rise=\(FrontDoorFailures.rise)
                         REGION 10 10
                         A \(door.address)
                app-\(name) 1 GEO failover \(name) spare

                """
        }
    }

    let folder: TemporaryFolder
    private var programs: [RunningProcess] = []

    init() throws { folder = try TemporaryFolder() }

    deinit { for program in programs { program.stop() } }

    private static let spare = """
        spare  REGION 50 8
               A 127.0.9.9

        """

    private func makeFailures() throws -> [Failure] {
        var failures = [
            Failure(
                name: "failing", door: try ScriptedDoor("127.0.2.1"), bad: .answer(status: 500),
                good: .answer(status: 200), words: "status 500"),
            Failure(
                name: "hanging", door: try ScriptedDoor("127.0.2.2"), bad: .hang,
                good: .answer(status: 200), words: "no answer within 2 s"),
            Failure(
                name: "closing", door: try ScriptedDoor("127.0.2.3"), bad: .close,
                good: .answer(status: 204), words: "connection "),
        ]
        if Programs.find("openssl") != nil {
            let certificates = try Certificates(folder)
            try certificates.makeAuthority("ours")
            try certificates.makeAuthority("theirs")
            try certificates.make("good", for: "DNS:app.example", by: "ours")
            try certificates.make("misnamed", for: "DNS:other.example", by: "ours")
            try certificates.make("untrusted", for: "DNS:app.example", by: "theirs")
            for (index, certificate) in ["misnamed", "untrusted"].enumerated() {
                let address = "127.0.2.\(4 + index)"
                let good = try serve("good", on: address)
                let bad = try serve(certificate, on: address)
                failures.append(
                    Failure(
                        name: certificate,
                        door: try ScriptedDoor(address, .forward(port: good)),
                        bad: .forward(port: bad), good: .forward(port: good),
                        words: "certificate", isSecure: true))
            }
        }
        return failures
    }

    private func serve(_ certificate: String, on address: String) throws -> UInt16 {
        let port = freePort(on: address)
        let program = try RunningProcess(
            try #require(Programs.find("openssl")),
            [
                "s_server", "-accept", "\(address):\(port)", "-www", "-quiet",
                "-cert", "\(folder.path)/\(certificate).pem",
                "-key", "\(folder.path)/\(certificate).key",
            ])
        programs.append(program)
        // -quiet keeps ACCEPT back: it listens when a connection comes through.
        try #require(
            eventually { DNSClient(address: address, port: port).canConnect },
            "openssl s_server: \(program.text)")
        return port
    }

    private func start(_ failures: [Failure]) throws -> TestServer {
        let zone = zoneHead + FrontDoorFailures.spare + failures.map(\.zone).joined()
        let needsAuthority = failures.contains(where: \.isSecure)
        return try TestServer(
            zones: [("example.com.zone", zone)],
            arguments: needsAuthority ? ["--ca-file", folder.path + "/ours.pem"] : [])
    }

    /// The log's `check` events about one address.
    private func checkEvents(_ server: TestServer, _ address: String) -> [String] {
        server.process.text.split(separator: "\n").map(String.init)
            .filter { $0.contains(" check") && $0.contains("address=\(address) ") }
    }

    /// Waits for them: what was logged before an answer may still be in the pipe.
    private func checkEvents(
        _ server: TestServer, _ address: String, atLeast count: Int
    ) -> [String] {
        _ = eventually(seconds: 5) { checkEvents(server, address).count >= count }
        return checkEvents(server, address)
    }

    private func answer(_ server: TestServer, _ failure: Failure) -> [String]? {
        server.client.addresses("app-\(failure.name).example.com")
    }

    @Test func eachIsOutAfterFallProbesAndBackAfterRise() throws {
        let failures = try makeFailures()
        #expect(failures.count == 5, "apt install openssl")
        let server = try start(failures)
        for failure in failures {
            #expect(answer(server, failure) == [failure.door.address])
            #expect(checkEvents(server, failure.door.address).count == 1)
        }

        // One failure less than `fall`, twice, with a success between: nothing moves.
        let fewFailures = { (failure: Failure) in
            Array(repeating: failure.bad, count: FrontDoorFailures.fall - 1)
        }
        for failure in failures {
            failure.door.behave(
                fewFailures(failure) + [failure.good] + fewFailures(failure), then: failure.good)
        }
        let before = failures.map(\.door.connectionCount)
        let allWereAsked = eventually(seconds: 60) {
            for failure in failures {
                #expect(answer(server, failure) == [failure.door.address])
            }
            return zip(failures, before).allSatisfy { $0.door.connectionCount >= $1 + 7 }
        }
        #expect(allWereAsked)
        for failure in failures {
            #expect(checkEvents(server, failure.door.address).count == 1, "\(failure.name)")
        }

        // Failing for good: out, after exactly `fall`.
        for failure in failures { failure.door.behave(then: failure.bad) }
        for failure in failures {
            #expect(eventually(seconds: 60) { answer(server, failure) == ["127.0.9.9"] })
            let events = checkEvents(server, failure.door.address, atLeast: 2)
            try #require(events.count == 2, "\(events)")
            #expect(events[1].contains("state=down failures=\(FrontDoorFailures.fall)"))
            #expect(events[1].contains(failure.words), "\(events[1])")
        }

        // One success less than `rise`: stays out. Then back.
        for failure in failures {
            let few = Array(repeating: failure.good, count: FrontDoorFailures.rise - 1)
            failure.door.behave(few + [failure.bad] + few, then: failure.bad)
        }
        let whileDown = failures.map(\.door.connectionCount)
        let allWereAskedAgain = eventually(seconds: 60) {
            for failure in failures { #expect(answer(server, failure) == ["127.0.9.9"]) }
            return zip(failures, whileDown).allSatisfy { $0.door.connectionCount >= $1 + 4 }
        }
        #expect(allWereAskedAgain)
        for failure in failures { failure.door.behave(then: failure.good) }
        for failure in failures {
            #expect(eventually(seconds: 60) { answer(server, failure) == [failure.door.address] })
            let events = checkEvents(server, failure.door.address, atLeast: 3)
            try #require(events.count == 3, "\(events)")
            #expect(events[2].contains("state=up successes=\(FrontDoorFailures.rise)"))
        }
        #expect(server.process.stop() == 0)
    }

    @Test func oneThatRefusesIsOutAfterFallAndBackAfterRise() throws {
        let door = try ScriptedDoor("127.0.2.10")
        let failure = Failure(
            name: "refusing", door: door, bad: .close, good: .answer(status: 200), words: "refused")
        let server = try start([failure])
        #expect(answer(server, failure) == ["127.0.2.10"])
        door.refuse()
        #expect(eventually(seconds: 60) { answer(server, failure) == ["127.0.9.9"] })
        let (status, text) = try server.control("regions")
        #expect(status == 0)
        let row = text.split(separator: "\n").first { $0.contains("127.0.2.10") }
        #expect(row?.contains(" down ") == true)
        #expect(row?.contains("refused") == true, "\(text)")
        try door.listenAgain()
        #expect(eventually(seconds: 60) { answer(server, failure) == ["127.0.2.10"] })
        let events = checkEvents(server, "127.0.2.10", atLeast: 3)
        try #require(events.count == 3, "\(events)")
        #expect(events[1].contains("state=down failures=\(FrontDoorFailures.fall)"))
        #expect(events[1].lowercased().contains("refused"))
        #expect(events[2].contains("state=up successes=\(FrontDoorFailures.rise)"))
    }

    /// A region without IPv4 is judged by what it has, and answered for AAAA alone.
    @Test func oneThatHasIPv6OnlyIsOutAfterFallAndBackAfterRise() throws {
        let port = freePort(on: "::1")
        var door: TestFrontDoor? = try TestFrontDoor("::1", port: port)
        let zone =
            zoneHead + """
                six    CHECK http / port=\(port) every=2s fast=100ms timeout=2s \
                fall=\(FrontDoorFailures.fall) rise=\(FrontDoorFailures.rise)
                       REGION 10 10
                       AAAA ::1
                spare  REGION 50 8
                       AAAA 2001:db8::9
                app 1  GEO failover six spare

                """
        let server = try TestServer(zones: [("example.com.zone", zone)])
        func answer() -> [String]? { server.client.addresses("app.example.com", .aaaa) }
        #expect(answer() == ["::1"])
        #expect(server.client.addresses("app.example.com") == [])
        #expect(door?.process.stop() == 0)
        door = nil
        #expect(eventually(seconds: 60) { answer() == ["2001:db8::9"] })
        door = try TestFrontDoor("::1", port: port)
        #expect(eventually(seconds: 60) { answer() == ["::1"] })
        let events = checkEvents(server, "::1", atLeast: 3)
        try #require(events.count == 3, "\(events)")
        #expect(events[1].contains("state=down failures=\(FrontDoorFailures.fall)"))
        #expect(events[2].contains("state=up successes=\(FrontDoorFailures.rise)"))
        #expect(door?.process.stop() == 0)
    }

    @Test func whatIsDeadAtTheStartIsInNoAnswer() throws {
        var failures = try makeFailures()
        for failure in failures { failure.door.behave(then: failure.bad) }
        let refusing = try ScriptedDoor("127.0.2.11")
        refusing.refuse()
        failures.append(
            Failure(
                name: "refusing", door: refusing, bad: .close, good: .answer(status: 200),
                words: "refused"))
        let zone = zoneHead + FrontDoorFailures.spare + failures.map(\.zone).joined()
        try folder.write(zone, to: "zones/example.com.zone")
        let port = freePort(on: "127.0.0.1")
        let server = try RunningProcess(
            Programs.own("geodnsd"),
            [
                "--zones", folder.path + "/zones", "--geo-data", "none", "--listen",
                "127.0.0.1@\(port)", "--control", folder.path + "/c.sock", "--workers", "1",
                "--ca-file", folder.path + "/ours.pem",
            ])
        defer { server.stop() }
        // Asked from before it is ready: the first answer of all is among these.
        let client = DNSClient(port: port)
        var answerCount = 0
        let wasAnswered = eventually(seconds: 60) {
            for failure in failures {
                guard let answer = client.addresses("app-\(failure.name).example.com") else {
                    continue
                }
                answerCount += 1
                #expect(answer == ["127.0.9.9"], "\(failure.name)")
            }
            return answerCount >= 5 * failures.count || !server.isRunning
        }
        #expect(wasAnswered && server.isRunning, "\(server.text)")
        for failure in failures {
            let first = server.text.split(separator: "\n").first {
                $0.contains("address=\(failure.door.address) ")
            }
            #expect(first?.contains("state=down failures=1") == true, "\(failure.name)")
        }
    }

    @Test func aDoorThatDiesDuringReloadsIsOutAfterwards() throws {
        let door = try ScriptedDoor("127.0.2.12")
        let failure = Failure(
            name: "dying", door: door, bad: .answer(status: 503), good: .answer(status: 200),
            words: "503")
        let server = try start([failure])
        for round in 0..<6 {
            let isDying = round % 2 == 0
            door.behave(then: isDying ? failure.bad : failure.good)
            let expected = isDying ? "127.0.9.9" : "127.0.2.12"
            // Reload after reload, until the log has it.
            #expect(
                eventually(seconds: 60) {
                    (try? server.control("reload").status) == 0
                        && checkEvents(server, "127.0.2.12").count == round + 2
                })
            #expect(eventually { answer(server, failure) == [expected] }, "round \(round)")
        }
    }
}

/// Certificates made with the openssl command.
struct Certificates {
    let folder: TemporaryFolder

    init(_ folder: TemporaryFolder) throws { self.folder = folder }

    private func path(_ name: String) -> String { folder.path + "/" + name }

    private func openssl(_ arguments: [String]) throws {
        let (status, text) = try RunningProcess.run(
            try #require(Programs.find("openssl")), arguments)
        try #require(status == 0, "openssl: \(text)")
    }

    private func request(_ name: String, _ subject: String, _ rest: [String]) throws {
        try openssl(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=\(subject)", "-days", "2", "-keyout", path(name + ".key"), "-out",
                path(name + ".pem"),
            ] + rest)
    }

    func makeAuthority(_ name: String) throws { try request(name, "\(name) authority", []) }

    /// For names such as `DNS:app.example`, signed by the authority.
    func make(_ name: String, for names: String, by authority: String) throws {
        try request(
            name, name,
            [
                "-addext", "subjectAltName=\(names)", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", path(authority + ".pem"), "-CAkey",
                path(authority + ".key"),
            ])
    }
}
