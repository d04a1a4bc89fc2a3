import TestSupport
import Testing

/// Everything here runs real programs of others against a running `geodnsd`, on loopback only.
/// One test at a time: each starts several processes.
@Suite(.serialized, .timeLimit(.minutes(2))) enum Interop {}

/// A program of the system that tests need, and the Debian package it comes from.
enum Needed: String, CaseIterable {
    case unbound, named, dig, delv, kdig, drill, dnsdist, haproxy, gdnsd

    var package: String {
        switch self {
        case .unbound, .dnsdist, .haproxy, .gdnsd: rawValue
        case .named: "bind9"
        case .dig, .delv: "bind9-dnsutils"
        case .kdig: "knot-dnsutils"
        case .drill: "ldnsutils"
        }
    }

    var path: String? { Programs.find(rawValue) }

    /// Runs it to its end. The caller's test `.needs` it.
    func run(_ arguments: [String]) throws -> (status: Int32?, text: String) {
        try RunningProcess.run(try #require(path), arguments)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test, and says why, on a machine without the program.
    static func needs(_ program: Needed) -> Self {
        .enabled(
            if: program.path != nil,
            "\(program.rawValue) is not installed: apt-get install \(program.package)")
    }

    /// Skips the test where none may be made.
    static var needsNamespace: Self {
        .enabled(
            if: (try? RunningProcess.run("/usr/bin/unshare", ["-n", "true"]))?.status == 0,
            "a network namespace of its own is only for root")
    }
}

/// A program that a test started did not begin to serve; what it wrote.
struct NotReady: Error, CustomStringConvertible {
    let description: String
}
