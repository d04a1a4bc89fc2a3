import DNSWire
import TestSupport
import Testing

/// A recursive resolver that knows no servers but those of the test: every zone it is not told
/// about, the root too, is asked of the first of them, so that nothing leaves loopback.
final class Resolver {
    /// The two resolvers that most of the world's answers pass through, after the public ones.
    enum Kind: String, CaseIterable {
        case unbound, bind
    }

    /// Where a zone is to be asked, instead of following delegations from the root.
    struct Stub {
        var zone: String
        var address = "127.0.0.1"
    }

    struct Options {
        /// The address that it asks from: `TestWorld`'s location database places it.
        var source = TestWorld.tokyo
        /// All questions upstream over TCP.
        var usesStreams = false
        /// unbound: lines of the `server:` clause.
        var lines: [String] = []
        var modules = "iterator"
    }

    let process: RunningProcess
    let client: DNSClient
    private let folder: TemporaryFolder

    /// `port` is that of all the servers it asks: BIND has one setting for it.
    init(_ kind: Kind, stubs: [Stub], port: UInt16, _ options: Options = Options()) throws {
        folder = try TemporaryFolder()
        // A port that is free now may be taken a moment later.
        for _ in 0..<3 {
            let own = freePort(on: "127.0.0.1")
            let process: RunningProcess
            let isReady: Bool
            switch kind {
            case .unbound:
                let text = Resolver.unbound(folder.path, own, stubs, port, options)
                let file = try folder.write(text, to: "unbound.conf")
                process = try RunningProcess(
                    try #require(Needed.unbound.path), ["-d", "-c", file])
                isReady = process.waitForOutput("start of service")
            case .bind:
                let text = Resolver.bind(folder.path, own, stubs, port, options)
                process = try startNamed(folder, text)
                isReady = process.waitForOutput(" running\n")
            }
            if isReady {
                self.process = process
                var client = DNSClient(port: own)
                client.wantsRecursion = true
                self.client = client
                return
            }
            process.stop()
            guard process.text.contains("in use") else {
                throw NotReady(description: "\(kind):\n\(process.text)")
            }
        }
        throw NotReady(description: "\(kind) found no free port")
    }

    deinit { process.stop() }

    /// Asks, again after two seconds of silence, for at most ten.
    func ask(
        _ name: String, _ type: RRType = .a, subnet: String? = nil, overStream: Bool = false
    ) -> Message? {
        var message: Message?
        eventually(seconds: 10) {
            message = client.ask(name, type, subnet: subnet, overStream: overStream)
            return message != nil
        }
        return message
    }

    // MARK: - Configurations

    private static func unbound(
        _ folder: String, _ own: UInt16, _ stubs: [Stub], _ port: UInt16, _ options: Options
    ) -> String {
        let lines = options.lines + (options.usesStreams ? ["tcp-upstream: yes"] : [])
        let all = stubs + [Stub(zone: ".", address: stubs[0].address)]
        return """
            server:
              directory: "\(folder)"
              chroot: ""
              username: ""
              pidfile: "\(folder)/unbound.pid"
              use-syslog: no
              logfile: ""
              verbosity: 1
              num-threads: 1
              do-daemonize: no
              do-ip6: no
              interface: 127.0.0.1@\(own)
              access-control: 127.0.0.0/8 allow
              outgoing-interface: \(options.source)
              do-not-query-localhost: no
              module-config: "\(options.modules)"
            \(lines.map { "  \($0)\n" }.joined())
            remote-control:
              control-enable: no

            """
                + all.map {
                    "stub-zone:\n  name: \"\($0.zone)\"\n  stub-addr: \($0.address)@\(port)\n"
                }.joined()
    }

    private static func bind(
        _ folder: String, _ own: UInt16, _ stubs: [Stub], _ port: UInt16, _ options: Options
    ) -> String {
        let all = stubs + [Stub(zone: ".", address: stubs[0].address)]
        let zones = all.map {
            """
            zone "\($0.zone)" { type static-stub; server-addresses { \($0.address); }; };

            """
        }
        return """
            options {
              \(namedFiles(in: folder))
              port \(port);
              listen-on port \(own) { 127.0.0.1; };
              listen-on-v6 { none; };
              query-source address \(options.source);
              recursion yes;
              allow-recursion { any; };
              dnssec-validation no;
              empty-zones-enable no;
              qname-minimization strict;
              max-cache-size 16m;
            };
            controls { };
            server 127.0.0.0/8 { tcp-only \(options.usesStreams ? "yes" : "no"); };
            \(zones.joined())
            """
    }
}

/// Options that keep all that BIND writes within the test's own folder.
func namedFiles(in folder: String) -> String {
    """
    directory "\(folder)";
      managed-keys-directory "\(folder)";
      pid-file "\(folder)/named.pid";
      session-keyfile "\(folder)/session.key";
    """
}

/// BIND in the foreground, on IPv4, with one worker.
func startNamed(_ folder: TemporaryFolder, _ configuration: String) throws -> RunningProcess {
    let file = try folder.write(configuration, to: "named.conf")
    return try RunningProcess(
        try #require(Needed.named.path), ["-4", "-g", "-n", "1", "-c", file])
}
