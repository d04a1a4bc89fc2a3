import Foundation
package import TestSupport

/// Another authoritative server of this machine, with the zones of a run.
package final class Peer {
    package enum Kind: String, CaseIterable, Sendable {
        case knot = "Knot"
        case nsd = "NSD"
        case bind = "BIND"

        var program: String {
            switch self {
            case .knot: "knotd"
            case .nsd: "nsd"
            case .bind: "named"
            }
        }

        /// The Debian package that holds the program.
        package var package: String {
            switch self {
            case .knot: "knot"
            case .nsd: "nsd"
            case .bind: "bind9"
            }
        }

        package var path: String? { Programs.find(program) }

        /// The EDNS options that it answers as we do: NSID, client subnet, cookie.
        var options: Set<UInt16> {
            switch self {
            case .knot: [3, 8]
            case .nsd: [3, 10]
            case .bind: [3, 8, 10]
            }
        }
    }

    /// A peer did not begin to serve; what it wrote.
    package struct NotReady: Error, CustomStringConvertible {
        package let description: String
    }

    /// A zone to serve.
    package struct Zone {
        /// Without the final dot.
        var origin: String
        /// The path of its file; and of one with nothing below DNAMEs.
        var file: String
        var strictFile: String
    }

    /// What every server answers to NSID, and the secret of its cookies.
    static let identity = "conformance"
    static let cookieSecret = "000102030405060708090a0b0c0d0e0f"

    package let kind: Kind
    package let process: RunningProcess
    package let port: UInt16
    private let folder: TemporaryFolder

    /// Starts it on 127.0.0.1 with all it writes in a folder of its own.
    package init(_ kind: Kind, zones: [Zone]) throws {
        self.kind = kind
        folder = try TemporaryFolder()
        guard let path = kind.path else {
            throw NotReady(
                description: "\(kind.program) is not installed: apt-get install \(kind.package)")
        }
        // A port that is free now may be taken a moment later.
        for _ in 0..<3 {
            let port = freePort(on: "127.0.0.1")
            let text = kind.configuration(folder: folder.path, port: port, zones: zones)
            let file = try folder.write(text, to: "\(kind.program).conf")
            let process = try RunningProcess(path, kind.arguments(file))
            if process.waitForOutput(kind.readyWord, seconds: 60) {
                self.process = process
                self.port = port
                return
            }
            process.stop()
            guard process.text.contains("in use") else {
                throw NotReady(description: "\(kind.rawValue):\n\(process.text)")
            }
        }
        throw NotReady(description: "\(kind.rawValue) found no free port")
    }

    deinit { process.stop() }

    /// What it wrote about zones it did not take; empty when it took all.
    package var complaints: [String] {
        process.text.split(separator: "\n").map(String.init).filter { line in
            kind.complaintWords.contains { line.contains($0) }
        }
    }
}

extension Peer.Kind {
    fileprivate func arguments(_ file: String) -> [String] {
        switch self {
        case .knot: ["-c", file]
        case .nsd: ["-d", "-c", file]
        case .bind: ["-4", "-g", "-n", "1", "-c", file]
        }
    }

    fileprivate var readyWord: String {
        switch self {
        case .knot: "server started"
        case .nsd: "nsd started"
        case .bind: " running\n"
        }
    }

    fileprivate var complaintWords: [String] {
        switch self {
        case .knot: ["error:", "critical:"]
        case .nsd: ["error:"]
        case .bind: ["not loaded", "loading from master file"]
        }
    }

    fileprivate func configuration(
        folder: String, port: UInt16, zones: [Peer.Zone]
    ) -> String {
        switch self {
        case .knot: knot(folder, port) + zones.map(knotZone).joined()
        case .nsd: nsd(folder, port) + zones.map(nsdZone).joined()
        case .bind: bind(folder, port) + zones.map(bindZone).joined()
        }
    }

    private func knot(_ folder: String, _ port: UInt16) -> String {
        """
        server:
            rundir: "\(folder)"
            listen: 127.0.0.1@\(port)
            udp-workers: 1
            tcp-workers: 1
            background-workers: 1
            nsid: "\(Peer.identity)"
            edns-client-subnet: on
        log:
          - target: stderr
            any: info
        database:
            storage: "\(folder)"
        template:
          - id: default
            storage: "\(folder)"
            journal-content: none
            zonefile-sync: -1
        zone:

        """
    }

    private func knotZone(_ zone: Peer.Zone) -> String {
        "  - domain: \"\(zone.origin)\"\n    file: \"\(zone.strictFile)\"\n"
    }

    private func nsd(_ folder: String, _ port: UInt16) -> String {
        """
        server:
            ip-address: 127.0.0.1@\(port)
            server-count: 1
            username: ""
            chroot: ""
            zonesdir: "\(folder)"
            database: ""
            pidfile: "\(folder)/nsd.pid"
            xfrdfile: "\(folder)/xfrd.state"
            xfrdir: "\(folder)"
            zonelistfile: "\(folder)/zone.list"
            minimal-responses: yes
            nsid: "ascii_\(Peer.identity)"
            answer-cookie: yes
            cookie-secret: "\(Peer.cookieSecret)"
            refuse-any: no
            rrl-ratelimit: 0
            rrl-whitelist-ratelimit: 0
        remote-control:
            control-enable: no

        """
    }

    private func nsdZone(_ zone: Peer.Zone) -> String {
        "zone:\n    name: \"\(zone.origin)\"\n    zonefile: \"\(zone.strictFile)\"\n"
    }

    private func bind(_ folder: String, _ port: UInt16) -> String {
        """
        options {
          directory "\(folder)";
          managed-keys-directory "\(folder)";
          pid-file "\(folder)/named.pid";
          session-keyfile "\(folder)/session.key";
          listen-on port \(port) { 127.0.0.1; };
          listen-on-v6 { none; };
          recursion no;
          server-id "\(Peer.identity)";
          cookie-algorithm siphash24;
          cookie-secret "\(Peer.cookieSecret)";
          dnssec-validation no;
          empty-zones-enable no;
          minimal-responses yes;
          minimal-any no;
          zero-no-soa-ttl no;
          max-cache-size 16m;
          notify no;
        };
        controls { };

        """
    }

    private func bindZone(_ zone: Peer.Zone) -> String {
        """
        zone "\(zone.origin)" {
          type primary; file "\(zone.file)"; check-names ignore; check-integrity no;
          check-sibling no; check-wildcard no; check-mx ignore; check-mx-cname ignore;
          check-srv-cname ignore; check-dup-records ignore;
        };

        """
    }
}
