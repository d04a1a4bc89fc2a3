import Health

/// Transfers between two probes. Each begins with the options of its own check alone
/// (`Transfer.begin`); what is kept is libcurl's memory, which takes longer to make than an answer
/// takes to read. For the monitor's thread only.
struct TransferPool {
    private let certificateAuthorities: String?
    /// The one used last comes first: its memory is still in the processor's caches.
    private var idle: [Transfer] = []

    /// Of ten thousand checks with `every=10s` so many are under way at once when an answer takes a
    /// quarter of a second. Each takes some ten kilobytes.
    private static let idleCountMax = 256

    init(certificateAuthorities: String?) {
        self.certificateAuthorities = certificateAuthorities
    }

    /// Nil when libcurl is out of memory, or refuses an option.
    mutating func take(_ probe: Probe, ticket: ProbeTicket) -> Transfer? {
        guard let transfer = idle.popLast() else {
            return Transfer(
                probe, ticket: ticket, certificateAuthorities: certificateAuthorities)
        }
        let isReady = transfer.begin(
            probe, ticket: ticket, certificateAuthorities: certificateAuthorities)
        return isReady ? transfer : nil
    }

    /// Takes back one whose transfer has ended well. One that failed is not to be given here:
    /// libcurl 7.88 keeps the errno(3) of a failure whatever comes after it (CURLINFO_OS_ERRNO).
    mutating func giveBack(_ transfer: Transfer) {
        guard idle.count < TransferPool.idleCountMax else { return }
        idle.append(transfer)
    }
}
