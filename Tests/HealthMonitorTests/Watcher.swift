import Addressing
import Foundation
import Health
import HealthMonitor
import Synchronization
import TestSupport
import Testing

/// A monitor and a record of all it said.
final class Watcher: Sendable {
    /// Probes must never go through a proxy: this one does not exist, so they would all fail.
    private static let isProxyPoisoned: Bool = {
        for name in ["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            setenv(name, "http://127.0.0.1:1", 1)
        }
        return true
    }()

    private final class Record: Sendable {
        let transitions = Mutex<[ProbeReport]>([])
        let tables = Mutex<[HealthTable]>([])
    }

    let monitor: HealthMonitor
    private let record: Record

    init(
        certificateAuthorities: String? = nil,
        onTransition: @escaping @Sendable (ProbeReport) -> Void = { _ in }
    ) {
        #expect(Watcher.isProxyPoisoned)
        let record = Record()
        self.record = record
        monitor = HealthMonitor(
            certificateAuthorities: certificateAuthorities,
            onChange: { table in
                record.tables.withLock { tables in
                    // Not those in which a state has only come into question.
                    if tables.last?.stateVersion != table.stateVersion { tables.append(table) }
                }
                return nil
            },
            onTransition: { report in
                record.transitions.withLock { $0.append(report) }
                onTransition(report)
            })
    }

    var transitions: [ProbeReport] { record.transitions.withLock { $0 } }
    var tables: [HealthTable] { record.tables.withLock { $0 } }

    /// Waits until a transition to that state has been told. (The monitor's table may know a moment
    /// earlier.)
    func isTold(_ identifier: ProbeIdentifier, is state: HealthState) async -> Bool {
        await eventually {
            transitions.last { $0.identifier == identifier }?.state == state
        }
    }

    /// Watches one probe until its first result is in.
    func watch(_ probe: Probe) throws -> ProbeIdentifier {
        let identifier = try #require(monitor.watch([probe]).first)
        #expect(monitor.waitForFirstResults(of: [identifier], atMost: .patience))
        return identifier
    }

    func report(of identifier: ProbeIdentifier) throws -> ProbeReport {
        try #require(monitor.report(of: [identifier]).first)
    }
}

extension Duration {
    /// How long a test waits for what must come (`patienceSeconds`).
    static var patience: Duration { .seconds(patienceSeconds) }
}

/// True as soon as the condition holds; false when it does not within a generous time.
func eventually(_ condition: () throws -> Bool) async rethrows -> Bool {
    for _ in 0..<1500 {
        if try condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return try condition()
}

extension CheckSpecification {
    /// Quick paces; a timeout only a hanging front door meets, unless a test shortens it.
    static func quick(
        _ kind: Kind, port: UInt16, host: String? = nil, timeout: Duration = .seconds(5),
        fall: Int = 3, rise: Int = 2, source: IPAddress? = nil
    ) -> CheckSpecification {
        CheckSpecification(
            kind, port: port, host: host, every: .milliseconds(200), fast: .milliseconds(100),
            timeout: timeout, fall: fall, rise: rise, source: source)
    }
}

func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
