import Addressing
import Foundation
import Health
import HealthMonitor
import TestSupport
import Testing

/// The openssl command; nil when this machine has none.
private let opensslPath = Programs.find("openssl")

@Suite(.enabled(if: opensslPath != nil, "needs the openssl command (apt install openssl)"))
struct CertificateTests {
    let folder: URL
    let authorities: String

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("geodns-certificates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        authorities = folder.appendingPathComponent("ours.pem").path
        try makeAuthority("ours")
    }

    func openssl(_ arguments: String...) throws {
        let program = try RunningProcess(try #require(opensslPath), arguments)
        try #require(program.waitForExit() == 0, "openssl \(arguments.joined(separator: " "))")
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func makeAuthority(_ name: String) throws {
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=\(name) authority", "-days", "2", "-keyout", path("\(name).key"),
            "-out", path("\(name).pem"))
    }

    /// A certificate for the names, `DNS:app.example`, signed by the authority.
    func makeCertificate(
        _ file: String, for names: String, by authority: String, days: Int = 2
    ) throws {
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=\(file)", "-days", "\(days)", "-addext", "subjectAltName=\(names)",
            "-addext", "basicConstraints=critical,CA:FALSE", "-CA", path("\(authority).pem"),
            "-CAkey", path("\(authority).key"), "-keyout", path("\(file).key"),
            "-out", path("\(file).pem"))
    }

    /// `openssl s_server` with that certificate.
    func serve(_ certificate: String, on address: String, port: UInt16) throws -> RunningProcess {
        let server = try RunningProcess(
            try #require(opensslPath),
            [
                "s_server", "-accept",
                address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)",
                "-cert", path("\(certificate).pem"), "-key", path("\(certificate).key"), "-www",
            ])
        // It prints its parameters, then ACCEPT once it listens.
        #expect(
            server.waitForOutput("ACCEPT"),
            "openssl s_server did not start on \(address):\(port)")
        return server
    }

    @Test(arguments: ["127.0.1.20", "::1"])
    func aGoodCertificateIsUpAndAWrongOneIsOutAfterFall(text: String) async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeAuthority("theirs")
        try makeCertificate("good", for: "DNS:app.example", by: "ours")
        try makeCertificate("misnamed", for: "DNS:other.example,DNS:www.other.example", by: "ours")
        try makeCertificate("untrusted", for: "DNS:app.example", by: "theirs")
        let here = try address(text)
        let port = freePort(on: text)
        let watcher = Watcher(certificateAuthorities: authorities)
        var server = try serve("good", on: text, port: port)
        let check = CheckSpecification.quick(.https(path: "/"), port: port, host: "app.example")
        let identifier = try watcher.watch(Probe(check, of: here))
        #expect(try watcher.report(of: identifier).words == "status 200")
        #expect(await watcher.isTold(identifier, is: .up))

        for (certificate, words) in [
            ("misnamed", "certificate is for other.example, www.other.example, not app.example"),
            ("untrusted", "certificate not trusted: unable to get local issuer certificate"),
        ] {
            let countBefore = watcher.transitions.count
            server.stop()
            server = try serve(certificate, on: text, port: port)
            #expect(await watcher.isTold(identifier, is: .down))
            let down = watcher.transitions[countBefore]
            #expect(down.transition?.to == .down)
            #expect(down.consecutiveFailures == 3)
            // While the server was being replaced it refused; the certificate comes after that.
            #expect(try await eventually { try watcher.report(of: identifier).words == words })
            #expect(try watcher.report(of: identifier).lastResult?.phase == .tls)
            #expect(watcher.monitor.table[identifier] == .down)

            server.stop()
            server = try serve("good", on: text, port: port)
            #expect(await watcher.isTold(identifier, is: .up))
            #expect(watcher.transitions.last?.consecutiveSuccesses == 2)
        }
        watcher.monitor.stop()
        server.stop()
    }

    @Test func withoutAHostTheAddressItselfMustBeInTheCertificate() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeCertificate("addressed", for: "IP:127.0.1.21", by: "ours")
        let watcher = Watcher(certificateAuthorities: authorities)
        for (text, state) in [("127.0.1.21", HealthState.up), ("127.0.1.22", .down)] {
            let port = freePort(on: text)
            let server = try serve("addressed", on: text, port: port)
            let identifier = try watcher.watch(
                Probe(.quick(.https(path: "/"), port: port), of: try address(text)))
            #expect(watcher.monitor.table[identifier] == state)
            if state == .down {
                let words = try watcher.report(of: identifier).words
                #expect(words == "certificate is for 127.0.1.21, not 127.0.1.22")
            }
            server.stop()
        }
    }

    @Test func aServerThatSpeaksNoTLSIsDown() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let server = try LoopbackServer(.garbage)
        defer { server.stop() }
        let watcher = Watcher(certificateAuthorities: authorities)
        let identifier = try watcher.watch(
            Probe(
                .quick(.https(path: "/"), port: server.port, timeout: .seconds(3)),
                of: try address("127.0.0.1")))
        #expect(watcher.monitor.table[identifier] == .down)
        #expect(try watcher.report(of: identifier).lastResult?.phase == .tls)
    }

    @Test func anUnreadableFileOfAuthoritiesSaysNothingAboutTheFrontDoor() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeCertificate("good", for: "DNS:app.example", by: "ours")
        let port = freePort(on: "127.0.1.23")
        let server = try serve("good", on: "127.0.1.23", port: port)
        let watcher = Watcher(certificateAuthorities: path("missing.pem"))
        let identifiers = watcher.monitor.watch([
            Probe(
                .quick(.https(path: "/"), port: port, host: "app.example"),
                of: try address("127.0.1.23"))
        ])
        #expect(
            try await eventually {
                try watcher.report(of: identifiers[0]).words.contains("cannot be read")
            })
        #expect(watcher.monitor.table[identifiers[0]] == .unknown)
        watcher.monitor.stop()
        server.stop()
    }
}
