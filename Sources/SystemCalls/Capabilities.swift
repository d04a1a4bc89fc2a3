import CLinux

/// Rights of a thread beyond those of its user (capabilities(7)). Raw values have the kernel's
/// numbers as bits.
package struct Capabilities: OptionSet, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let netAdmin = Capabilities(rawValue: 1 << 12)
    package static let netRaw = Capabilities(rawValue: 1 << 13)
    package static let ipcLock = Capabilities(rawValue: 1 << 14)
    package static let sysAdmin = Capabilities(rawValue: 1 << 21)
    package static let bpf = Capabilities(rawValue: 1 << 39)

    /// Those in force for this thread.
    package static var ofThisThread: Capabilities {
        Capabilities(rawValue: clinux_capabilities())
    }

    /// This thread, and those that it starts, are without them from now on.
    package func giveUp() throws(Errno) {
        try require { clinux_give_up_capabilities(rawValue) }
    }

    /// Names of those that have one here: `CAP_NET_RAW`.
    package var names: [String] {
        let all: [(Capabilities, String)] = [
            (.netRaw, "CAP_NET_RAW"), (.netAdmin, "CAP_NET_ADMIN"), (.bpf, "CAP_BPF"),
            (.ipcLock, "CAP_IPC_LOCK"), (.sysAdmin, "CAP_SYS_ADMIN"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}
