package import Addressing

/// How one front door is checked: what a CHECK record of a zone says.
///
/// The words and their meaning are HAProxy's (configuration manual, "server and default-server
/// options": `inter`, `fastinter`, `rise`, `fall`).
package struct CheckSpecification: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// GET `path`; passes when the status is expected.
        case http(path: String)
        /// The same over TLS; the certificate chain and the name (`host`) are verified.
        case https(path: String)
        /// Passes when the handshake completes.
        case tcp
    }

    package var kind: Kind
    /// TCP port of the front door.
    package var port: UInt16
    /// Host header, TLS server name and the name verified; nil: the address itself.
    package var host: String?
    /// Statuses that pass, for http and https.
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

    package init(
        _ kind: Kind, port: UInt16, host: String? = nil,
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
