import Glibc
package import SystemCalls

/// Why an interface cannot be served past the kernel's sockets. Nothing is lost by it: the sockets
/// get what nobody takes away before them.
package struct XDPError: Error, Equatable, Sendable {
    /// What was tried, in the order of a start.
    package enum Step: Equatable, Sendable {
        case describeInterface
        case makeMaps
        case loadProgram
        case openQueue(Int)
        case addAddress
        case attach
        case watchNetwork
    }
    package var interface: String
    package var step: Step
    package var reason: Errno
    /// The kernel's words about a program that it refuses; else empty.
    package var log: String
    /// Capabilities that it takes and this thread did not have.
    package var missing: Capabilities

    package init(
        _ interface: String, _ step: Step, _ reason: Errno, log: String = "",
        capabilities: Capabilities = .ofThisThread
    ) {
        self.interface = interface
        self.step = step
        self.reason = reason
        self.log = log
        missing = capabilities.missingForXDP
    }
}

extension XDPError: CustomStringConvertible {
    /// What, where, why, and what to do: `eth0: queue 0: device or resource busy: …`.
    package var description: String {
        let what: String
        switch step {
        case .describeInterface: what = "looking at the interface"
        case .makeMaps: what = "making the maps of the XDP program"
        case .loadProgram: what = "loading the XDP program"
        case .openQueue(let index): what = "opening an AF_XDP socket on queue \(index)"
        case .addAddress: what = "telling the XDP program an address"
        case .attach: what = "attaching the XDP program"
        case .watchNetwork: what = "watching the network"
        }
        let words = "\(interface): \(what): \(reason.words)"
        let hint = hint.map { "\(words): \($0)" } ?? words
        return log.isEmpty ? hint : "\(hint)\n\(log)"
    }

    private var hint: String? {
        switch (step, reason) {
        case (_, .notPermitted), (.makeMaps, .permissionDenied), (.loadProgram, .permissionDenied):
            return missing.isEmpty
                ? "something else forbids it: SystemCallFilter= of the unit, or the kernel's lockdown"
                : "missing \(missing.names.joined(separator: ", "))"
        case (.describeInterface, .noSuchDevice):
            return "`ip link` lists the interfaces there are"
        case (.describeInterface, .invalidArgument):
            return "only Ethernet can be served, and only with a hardware address of its own"
        case (.openQueue, .noBufferSpace):
            return
                "the memory of its frames may not be locked; raise LimitMEMLOCK, or give CAP_IPC_LOCK"
        case (.openQueue, .busy): return "another program serves that queue"
        case (.openQueue, .addressFamilyNotSupported):
            return
                "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS), or RestrictAddressFamilies= of the"
                + " unit forbids it"
        case (.watchNetwork, .addressFamilyNotSupported):
            return "RestrictAddressFamilies= of the unit lacks AF_NETLINK"
        case (.addAddress, .argumentListTooLong): return "there are too many addresses"
        case (.attach, .busy), (.attach, .fileExists):
            return
                "another XDP program is attached; `ip link set dev \(interface) xdp off` takes it"
                + " away, unless a process holds it"
        case (.attach, .notSupported):
            return "neither its driver nor the kernel can run XDP programs"
        case (.attach, .resultTooLarge): return "its MTU is larger than XDP can do in one piece"
        default: return nil
        }
    }
}

extension Errno {
    static let argumentListTooLong = Errno(E2BIG)
    static let busy = Errno(EBUSY)
    static let fileExists = Errno(EEXIST)
    static let invalidArgument = Errno(EINVAL)
    static let noSuchDevice = Errno(ENODEV)
    static let notPermitted = Errno(EPERM)
    static let notSupported = Errno(EOPNOTSUPP)
    static let resultTooLarge = Errno(ERANGE)
}
