import CCurl
import Synchronization

/// libcurl's multi interface: many transfers on one thread.
///
/// `wakeUp` may be called from any thread (curl_multi_wakeup(3)); everything else belongs to the
/// monitor's thread alone.
@safe final class Multi: @unchecked Sendable {
    // SAFETY: set once; used from other threads only by curl_multi_wakeup, which allows it.
    private let handle: UnsafeMutableRawPointer
    /// Transfers in flight, by the address of their easy handle; for the monitor's thread only.
    private var transfers: [UInt: Transfer] = [:]

    /// curl_global_init is thread-safe in libcurl 7.84 and newer, but must precede all else; a
    /// global is initialised exactly once.
    private static let isLibraryReady: Bool =
        curl_global_init(Int(CURL_GLOBAL_SSL | CURL_GLOBAL_WIN32)) == CURLE_OK

    init() {
        guard Multi.isLibraryReady, let handle = unsafe curl_multi_init() else {
            fatalError("libcurl could not be initialised: out of memory, or a broken OpenSSL")
        }
        unsafe self.handle = unsafe handle
    }

    deinit {
        removeAll { _ in true }
        unsafe curl_multi_cleanup(handle)
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

    /// Waits until a transfer can go on, `wakeUp` is called, or the time is over.
    func wait(atMostMilliseconds milliseconds: Int32) {
        let code = unsafe curl_multi_poll(handle, nil, 0, milliseconds, nil)
        precondition(code == CURLM_OK || code == CURLM_OUT_OF_MEMORY)
    }

    func wakeUp() { unsafe curl_multi_wakeup(handle) }

    /// Lets every transfer go on as far as it can without waiting, and hands over those that ended.
    func perform(_ ended: (Transfer, CURLcode) -> Void) {
        var runningCount: Int32 = 0
        unsafe curl_multi_perform(handle, &runningCount)
        var waitingCount: Int32 = 0
        while let message = unsafe curl_multi_info_read(handle, &waitingCount) {
            guard unsafe message.pointee.msg == CURLMSG_DONE,
                let easy = unsafe message.pointee.easy_handle,
                let transfer = transfers[UInt(bitPattern: easy)]
            else { continue }
            // SAFETY: the message is read before its transfer is removed, after which it is gone.
            let code = unsafe ccurl_result(message)
            ended(transfer, code)
            remove(transfer)
        }
    }
}
