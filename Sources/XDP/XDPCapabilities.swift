package import SystemCalls

extension Capabilities {
    /// What a start of all this takes, besides memory that may be locked.
    package static let neededForXDP: Capabilities = [.netRaw, .netAdmin, .bpf]

    /// What may have helped with it, and is of no use afterwards.
    package static let usedForXDP: Capabilities = [.netRaw, .netAdmin, .bpf, .sysAdmin, .ipcLock]

    /// Those of `neededForXDP` that are not among these. Before it was divided, CAP_BPF was part of
    /// CAP_SYS_ADMIN, which still does for it.
    package var missingForXDP: Capabilities {
        Capabilities.neededForXDP.subtracting(contains(.sysAdmin) ? union(.bpf) : self)
    }
}
