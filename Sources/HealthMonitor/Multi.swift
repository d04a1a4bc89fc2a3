import CCurl
import Health

/// libcurl's multi interface, driven by events: a round costs what is ready, not what is in flight
/// (curl_multi_socket_action(3)). For the monitor's thread only.
@safe final class Multi {
    private let handle: UnsafeMutableRawPointer
    private let poller: Poller
    /// Transfers in flight, by the address of their easy handle.
    private var transfers: [UInt: Transfer] = [:]
    /// When libcurl wants to be called even if nothing is ready; nil: not at all.
    private(set) var deadline: MonotonicTime?

    /// curl_global_init is thread-safe in libcurl 7.84 and newer, but must precede all else; a
    /// global is initialised exactly once.
    static let isLibraryReady: Bool =
        curl_global_init(Int(CURL_GLOBAL_SSL | CURL_GLOBAL_WIN32)) == CURLE_OK

    init(_ poller: Poller) {
        guard Multi.isLibraryReady, let handle = unsafe curl_multi_init() else {
            fatalError("libcurl could not be initialised: out of memory, or a broken OpenSSL")
        }
        unsafe self.handle = unsafe handle
        self.poller = poller
        // SAFETY: the callbacks are called only by functions of the handle, which this object owns
        // and cleans up before it goes.
        let status = unsafe ccurl_watch(
            handle,
            { easy, descriptor, wish, context, _ in
                unsafe Multi.from(context)?.watch(descriptor, wish, UInt(bitPattern: easy))
                return 0
            },
            { _, milliseconds, context in
                unsafe Multi.from(context)?.setTimer(milliseconds)
                return 0
            }, Unmanaged.passUnretained(self).toOpaque())
        precondition(status == CURLM_OK)
    }

    deinit {
        // Nobody is left to be told which sockets to watch.
        unsafe ccurl_watch(handle, nil, nil, nil)
        removeAll { _ in true }
        unsafe curl_multi_cleanup(handle)
    }

    @unsafe private static func from(_ context: UnsafeMutableRawPointer?) -> Multi? {
        unsafe context.map { unsafe Unmanaged<Multi>.fromOpaque($0).takeUnretainedValue() }
    }

    private func watch(_ descriptor: curl_socket_t, _ wish: Int32, _ key: UInt) {
        // Until the connection stands there is nothing to read.
        if wish == CURL_POLL_IN || wish == CURL_POLL_INOUT { transfers[key]?.isConnected = true }
        var readiness: Poller.Readiness = []
        switch wish {
        case CURL_POLL_IN: readiness = .reading
        case CURL_POLL_OUT: readiness = .writing
        case CURL_POLL_INOUT: readiness = [.reading, .writing]
        default:
            poller.forget(descriptor)
            return
        }
        poller.watch(descriptor, as: .transfer(descriptor), for: readiness)
    }

    private func setTimer(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? nil : .now() + .milliseconds(milliseconds)
    }

    /// Transfers in flight.
    var count: Int { transfers.count }

    func add(_ transfer: Transfer) -> Bool {
        guard unsafe curl_multi_add_handle(handle, transfer.easy) == CURLM_OK else { return false }
        transfers[transfer.key] = transfer
        return true
    }

    /// Abandons transfers: their connections are closed at once.
    func removeAll(where isAbandoned: (Transfer) -> Bool) {
        for transfer in Array(transfers.values) where isAbandoned(transfer) {
            remove(transfer)
        }
    }

    private func remove(_ transfer: Transfer) {
        unsafe curl_multi_remove_handle(handle, transfer.easy)
        transfers[transfer.key] = nil
    }

    /// Lets libcurl do what its timer was set for, if it is time.
    func perform(at now: MonotonicTime) {
        guard let due = deadline, due <= now else { return }
        deadline = nil
        // CURL_SOCKET_TIMEOUT, a macro with a cast.
        act(-1, 0)
    }

    /// Lets the transfer of a descriptor that has become ready go on.
    func proceed(_ descriptor: Int32, _ readiness: Poller.Readiness) {
        var events: Int32 = 0
        if readiness.contains(.reading) { events |= Int32(CURL_CSELECT_IN) }
        if readiness.contains(.writing) { events |= Int32(CURL_CSELECT_OUT) }
        if !readiness.isDisjoint(with: .trouble) { events |= Int32(CURL_CSELECT_ERR) }
        act(descriptor, events)
    }

    private func act(_ descriptor: Int32, _ events: Int32) {
        var runningCount: Int32 = 0
        let code = unsafe curl_multi_socket_action(handle, descriptor, events, &runningCount)
        precondition(code == CURLM_OK || code == CURLM_OUT_OF_MEMORY)
    }

    /// Hands over the transfers that have ended; they are out of here by then.
    func takeEnded(_ ended: (Transfer, CURLcode) -> Void) {
        var waitingCount: Int32 = 0
        while let message = unsafe curl_multi_info_read(handle, &waitingCount) {
            guard unsafe message.pointee.msg == CURLMSG_DONE,
                let easy = unsafe message.pointee.easy_handle,
                let transfer = transfers[UInt(bitPattern: easy)]
            else { continue }
            // SAFETY: the message is read before its transfer is removed, after which it is gone.
            let code = unsafe ccurl_result(message)
            remove(transfer)
            ended(transfer, code)
        }
    }
}
