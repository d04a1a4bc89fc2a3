import Addressing
import Foundation
import Health
import HealthMonitor
import TestSupport
import Testing

/// The haproxy command; nil when this machine has none.
private let haproxyPath = Programs.find("haproxy")

// A front door as people have them: HAProxy, over HTTP/2 and with its own Prometheus exporter.
extension CertificateTests {
    @Test(.enabled(if: haproxyPath != nil, "needs haproxy (apt install haproxy)"))
    func haproxyIsAFrontDoor() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try makeCertificate("good", for: "DNS:app.example", by: "ours")
        let here = "127.0.1.28"
        let (port, metricsPort) = (freePort(on: here), freePort(on: here))
        let pair = try ["good.pem", "good.key"].map { name in
            try String(contentsOfFile: path(name), encoding: .utf8)
        }
        try pair.joined().write(toFile: path("pair.pem"), atomically: true, encoding: .utf8)
        try """
        defaults
          mode http
          timeout client 5s
          timeout connect 5s
          timeout server 5s
        frontend web
          bind \(here):\(port) ssl crt \(path("pair.pem")) alpn h2,http/1.1
          http-request return status 200 content-type text/plain string well
        frontend metrics
          bind \(here):\(metricsPort)
          http-request use-service prometheus-exporter

        """.write(toFile: path("haproxy.cfg"), atomically: true, encoding: .utf8)
        let haproxy = try RunningProcess(
            try #require(haproxyPath), ["-f", path("haproxy.cfg"), "-db"])
        defer { haproxy.stop() }
        try #require(
            eventually(seconds: 10) {
                DNSClient(address: here, port: metricsPort).canConnect
                    && DNSClient(address: here, port: port).canConnect
            }, "\(haproxy.text)")

        func probed(_ check: CheckSpecification) throws -> (state: HealthState, words: String) {
            let watcher = Watcher(certificateAuthorities: authorities)
            let identifier = try watcher.watch(Probe(check, of: try address(here)))
            defer { watcher.monitor.stop() }
            return (watcher.monitor.table[identifier], try watcher.report(of: identifier).words)
        }
        var web = CheckSpecification.quick(.https(path: "/"), port: port, host: "app.example")
        web.contains = Array("well".utf8)
        for usesHTTP2 in [false, true] {
            web.usesHTTP2 = usesHTTP2
            #expect(try probed(web) == (.up, "status 200, body as expected"))
        }
        web.method = .head
        web.contains = []
        #expect(try probed(web) == (.up, "status 200"))

        var load = CheckSpecification.quick(.load(path: "/metrics"), port: metricsPort)
        load.metrics = [
            LoadMetric(.connections, "haproxy_frontend_current_sessions"),
            LoadMetric(.errorRate, "haproxy_frontend_denied_connections_total"),
        ]
        let found = try probed(load)
        #expect(found.state == .up)
        // The one that asks is among them.
        #expect(found.words.contains(#/^connections [1-9][0-9]*, errorRate 0$/#), "\(found.words)")
        load.metrics = [LoadMetric(.queue, "haproxy_no_such_metric")]
        #expect(try probed(load) == (.down, "report has no metric haproxy_no_such_metric"))
    }
}
