package import Addressing

/// How one front door is checked: what a CHECK record of a zone says.
///
/// The words and their meaning are HAProxy's (configuration manual, "server and default-server
/// options": `inter`, `fastinter`, `rise`, `fall`). Words of one kind alone have no effect on
/// others; whoever reads zones refuses them there.
package struct CheckSpecification: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Passes when the status is expected, and the body is as it should be.
        case http(path: String)
        /// The same over TLS; the certificate chain and the name (`tlsName`) are verified.
        case https(path: String)
        /// Passes when the handshake completes, and what is sent is answered.
        case tcp
        /// Passes when the TLS handshake completes, and chain and name are good.
        case tls
        case dns(DNSQuestion)
        /// Passes when an ICMP echo request is answered.
        case ping
        /// Passes when the program exits with status 0.
        case exec(program: String)
        /// What another monitor wrote to a file.
        case file(path: String)
        /// The front door's own report, read over http, or https with `usesTLS`.
        case load(path: String)
    }

    package var kind: Kind
    /// TCP or UDP port of the front door; 0 for kinds without one.
    package var port: UInt16
    /// Host header, TLS server name and the name verified; nil: the address itself.
    package var host: String?
    /// Statuses that pass, for http, https and load.
    package var expectedStatuses: [ClosedRange<Int>]
    /// Pace while firmly up.
    package var every: Duration
    /// Pace in transition and while down.
    package var fast: Duration
    /// A probe that has not passed by then has failed.
    package var timeout: Duration
    /// Failures in a row that take an address down.
    package var fall: Int
    /// Successes in a row that bring it back.
    package var rise: Int
    /// Address probes are sent from; nil: the kernel's choice.
    package var source: IPAddress?

    /// TLS server name and the name verified, where that is not `host`.
    package var serverName: String?
    /// A certificate that ends within so many days makes a front door `degraded`; 0: never.
    package var certificateDays = 0
    /// HTTP method, for http and https.
    package var method = HTTPMethod.get
    /// HTTP/2 and nothing else, for http (without negotiation), https and load.
    package var usesHTTP2 = false
    /// https in place of http, for load.
    package var usesTLS = false
    /// What the body must contain; empty: nothing.
    package var contains: [UInt8] = []
    /// An extended regular expression (POSIX) that something in the body must match.
    package var pattern: String?
    /// What is sent over a tcp connection once it stands.
    package var send: [UInt8] = []
    /// What must come back over it; empty: nothing.
    package var receive: [UInt8] = []
    /// A state file older than this tells nothing.
    package var ageMax: Duration?
    package var loadLimits = LoadLimits()
    /// Where the figures of a Prometheus exposition are found; empty: another form is expected.
    package var metrics: [LoadMetric] = []

    package init(
        _ kind: Kind, port: UInt16 = 0, host: String? = nil,
        expectedStatuses: [ClosedRange<Int>] = [200...299],
        every: Duration = .seconds(10), fast: Duration = .seconds(2),
        timeout: Duration = .seconds(3), fall: Int = 3, rise: Int = 2, source: IPAddress? = nil
    ) {
        self.kind = kind
        self.port = port
        self.host = host
        self.expectedStatuses = expectedStatuses
        self.every = every
        self.fast = fast
        self.timeout = timeout
        self.fall = fall
        self.rise = rise
        self.source = source
    }

    /// TLS server name and the name verified; nil: the address itself.
    package var tlsName: String? { serverName ?? host }

    /// In one word, for status pages and logs: `https:443/healthz`.
    package var summary: String {
        switch kind {
        case .http(let path): "http:\(port)\(path)"
        case .https(let path): "https:\(port)\(path)"
        case .tcp: "tcp:\(port)"
        case .tls: "tls:\(port)"
        case .dns(let question):
            "dns:\(port)/\(question.name)/\(question.type)\(question.isOverTCP ? "/tcp" : "")"
        case .ping: "ping"
        case .exec(let program): "exec:\(program)"
        case .file(let path): "file:\(path)"
        case .load(let path): "load:\(port)\(path)"
        }
    }
}

/// What an HTTP check asks with; none of these changes anything at the front door.
package enum HTTPMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case options = "OPTIONS"
}

/// One check of one address: the unit that is probed, and has a state of its own.
package struct Probe: Hashable, Sendable {
    package var check: CheckSpecification
    package var address: IPAddress

    package init(_ check: CheckSpecification, of address: IPAddress) {
        self.check = check
        self.address = address
    }
}

/// Names a probe in a `HealthTable`; given by whoever runs the probes, and stable for as long as
/// the probe runs.
package struct ProbeIdentifier: Hashable, Sendable, BitwiseCopyable {
    package var index: Int

    package init(_ index: Int) { self.index = index }
}
