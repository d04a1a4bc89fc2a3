import Addressing
import Foundation
import Health
import HealthMonitor
import TestSupport
import Testing

@testable import HealthMonitor

// Certificates as the `tls` check and `cert-days=` see them; the fixture is CertificateTests'.
extension CertificateTests {
    /// An expired certificate: `openssl req` cannot make one, `openssl x509` with -days -1 can.
    private func makeExpiredCertificate(_ file: String, by authority: String) throws {
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=\(file)", "-addext", "subjectAltName=DNS:app.example", "-keyout",
            path("\(file).key"), "-out", path("\(file).csr"))
        try openssl(
            "x509", "-req", "-in", path("\(file).csr"), "-CA", path("\(authority).pem"), "-CAkey",
            path("\(authority).key"), "-CAcreateserial", "-days", "-1", "-copy_extensions", "copy",
            "-out", path("\(file).pem"))
    }

    private func probed(
        _ check: CheckSpecification, at text: String
    ) throws -> (state: HealthState, words: String) {
        let watcher = Watcher(certificateAuthorities: authorities)
        let identifier = try watcher.watch(Probe(check, of: try address(text)))
        defer { watcher.monitor.stop() }
        return (watcher.monitor.table[identifier], try watcher.report(of: identifier).words)
    }

    @Test func tlsLooksAtChainNameAndDays() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeAuthority("theirs")
        try makeCertificate("good", for: "DNS:app.example", by: "ours", days: 3)
        try makeCertificate("misnamed", for: "DNS:other.example", by: "ours")
        try makeCertificate("untrusted", for: "DNS:app.example", by: "theirs")
        try makeExpiredCertificate("expired", by: "ours")
        let here = "127.0.1.24"
        for (certificate, days, state, words) in [
            ("good", 0, HealthState.up, "certificate is good"),
            ("good", 2, .up, "certificate is good"),
            (
                "good", 7, .degraded,
                // Made a moment ago for three days, of which the last may have begun.
                "certificate is good, certificate ends in"
            ),
            ("misnamed", 0, .down, "certificate is for other.example, not app.example"),
            (
                "untrusted", 0, .down,
                "certificate not trusted: unable to get local issuer certificate"
            ),
            ("expired", 0, .down, "certificate not trusted: certificate has expired"),
        ] {
            let port = freePort(on: here)
            let server = try serve(certificate, on: here, port: port)
            defer { server.stop() }
            var check = CheckSpecification.quick(.tls, port: port, host: "app.example")
            check.certificateDays = days
            let found = try probed(check, at: here)
            #expect(found.state == state, "\(certificate): \(found.words)")
            #expect(found.words.hasPrefix(words))
            // The same door over https.
            check.kind = .https(path: "/")
            let https = try probed(check, at: here)
            #expect(https.state == state)
            if state == .degraded {
                #expect(found.words.contains(#/ends in [23] days, wanted 7$/#))
                #expect(https.words.contains(#/^status 200, certificate ends in [23] days/#))
            }
        }
    }

    @Test func aDoorThatHangsInTheHandshakeIsDown() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let door = try ScriptedDoor("127.0.1.25", .hang)
        defer { door.refuse() }
        let found = try probed(
            .quick(.tls, port: door.port, timeout: .milliseconds(300)), at: "127.0.1.25")
        #expect(found.state == .down)
        #expect(found.words == "no TLS handshake within 300 ms")
    }

    @Test func sniMayDifferFromTheHost() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeCertificate("good", for: "DNS:app.example", by: "ours")
        let here = "127.0.1.26"
        let port = freePort(on: here)
        let server = try serve("good", on: here, port: port)
        defer { server.stop() }
        var check = CheckSpecification.quick(.https(path: "/"), port: port, host: "www.example")
        #expect(try probed(check, at: here).state == .down)
        check.serverName = "app.example"
        #expect(try probed(check, at: here).state == .up)
    }

    /// `openssl s_server -www` speaks HTTP/1 alone.
    @Test func http2IsNegotiatedOrFails() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeCertificate("good", for: "DNS:app.example", by: "ours")
        let here = "127.0.1.27"
        let port = freePort(on: here)
        let server = try serve("good", on: here, port: port)
        defer { server.stop() }
        var check = CheckSpecification.quick(.https(path: "/"), port: port, host: "app.example")
        check.usesHTTP2 = true
        let found = try probed(check, at: here)
        #expect(found.state == .down)
        #expect(found.words == "front door does not speak HTTP/2")
    }
}

@Suite struct CertificateTimeTests {
    @Test(arguments: [
        ("Jan  1 00:00:00 1970 GMT", Int64(0)), ("Nov 21 14:38:50 2026 GMT", 1_795_271_930),
        ("Feb 29 23:59:59 2024 GMT", 1_709_251_199), ("Mar  1 00:00:00 2100 GMT", 4_107_542_400),
        ("Dec 31 23:59:59.5 9999 GMT", 253_402_300_799),
    ])
    func opensslsTimesAreSeconds(text: String, seconds: Int64) {
        #expect(certificateTime(text) == seconds)
    }

    @Test(arguments: [
        "", "Bad time value", "Nov 21 . 2026 GMT", "Nov 32 0:0:0 2026 GMT", "a b c d GMT",
    ])
    func otherTextIsNoTime(text: String) {
        #expect(certificateTime(text) == nil)
    }
}
