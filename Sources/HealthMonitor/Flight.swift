import Glibc
import Health
import SystemCalls

/// A probe under way that is not libcurl's: a socket of our own, or a program.
protocol Flight: AnyObject {
    var ticket: ProbeTicket { get }
    var probe: Probe { get }
    /// What it waits for is ready. Returns what came of the probe, once; nil: it goes on.
    func proceed() -> Outcome?
    /// Its time is over: ends it, and says how far it came.
    func expire() -> Outcome
    /// Ends it; nobody wants to know any more.
    func abandon()
    /// Nothing is left to wait for.
    var isOver: Bool { get }
}

extension Outcome {
    /// A system call that failed on the way to the front door.
    static func failed(_ error: Errno, of probe: Probe, after duration: Duration) -> Outcome {
        if let words = obstacleWords(error.code) { return .obstacle(words) }
        var result = ProbeResult(
            .failed, in: .connect, because: connectWords(error.code), after: duration)
        result.isSilence = isSilence(error.code)
        return .result(result)
    }

    /// Whether a connection that failed so may never have left this server's own network.
    static func isSilence(_ errorNumber: Int32) -> Bool {
        errorNumber != ECONNREFUSED && errorNumber != ECONNRESET
    }

    /// Troubles of this machine's own: running out of something.
    static func obstacleWords(_ errorNumber: Int32) -> String? {
        switch errorNumber {
        case EMFILE, ENFILE: "this server is out of file descriptors"
        case ENOBUFS, ENOMEM: "this server is out of memory"
        default: nil
        }
    }

    static func connectWords(_ errorNumber: Int32) -> String {
        switch errorNumber {
        case ECONNREFUSED: "connection refused"
        case EHOSTUNREACH: "no route to host"
        case ENETUNREACH: "network unreachable"
        case ETIMEDOUT: "no connection: the kernel gave up"
        case ECONNRESET: "connection reset"
        case EACCES, EPERM: "sending is forbidden here (firewall?)"
        default: "no connection: \(Errno(errorNumber).words)"
        }
    }

    static func sourceWords(_ probe: Probe) -> String {
        let source = probe.check.source.map { "\($0)" } ?? "?"
        return "cannot send from \(source): not an address of this server"
    }
}
