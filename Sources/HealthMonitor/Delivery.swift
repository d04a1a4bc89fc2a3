import CCurl
import CLinux
import Glibc
import Health
import SystemCalls

/// What came of handing a message to a receiver outside of this process.
package enum Delivery: Equatable, Sendable {
    case done
    /// It may work later; why it did not, in words.
    case failed(String)
    /// It never will, with this message.
    case refused(String)
}

/// Receivers of messages. To be called on a thread that may wait: each takes up to ten seconds, or
/// until `isStopping`, which is looked at ten times a second.
package enum Receivers {
    private static let timeout = Duration.seconds(10)
    private static let turn = Duration.milliseconds(100)

    // MARK: - A web server

    /// Posts JSON to a URL. 2xx is success; another status below 500 is a refusal, but for 408 and
    /// 429, which ask for patience (RFC 9110 §15.5.9, RFC 6585 §4).
    package static func post(
        _ json: String, to url: String, certificateAuthorities: String?, _ isStopping: () -> Bool
    ) -> Delivery {
        guard Multi.isLibraryReady, let easy = unsafe curl_easy_init() else {
            return .failed("libcurl is out of memory")
        }
        defer { unsafe curl_easy_cleanup(easy) }
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        let intake = UnsafeMutablePointer<ccurl_intake>.allocate(capacity: 1)
        unsafe intake.initialize(to: ccurl_intake())
        // Read, and thrown away.
        unsafe intake.pointee.body_byte_count_max = 1 << 20
        let headers = unsafe curl_slist_append(nil, "Content-Type: application/json")
        defer {
            unsafe curl_slist_free_all(headers)
            unsafe intake.deallocate()
            unsafe text.deallocate()
        }
        let codes = unsafe [
            ccurl_set_error_buffer(easy, text), ccurl_set_string(easy, CURLOPT_URL, url),
            ccurl_set_string(easy, CURLOPT_COPYPOSTFIELDS, json),
            ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers), ccurl_take_in(easy, intake),
            ccurl_set_string(easy, CURLOPT_USERAGENT, "geodns/1"),
            ccurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            // The empty string switches http_proxy and its like off (CURLOPT_PROXY(3)).
            ccurl_set_string(easy, CURLOPT_PROXY, ""),
            ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, Int(timeout.milliseconds)),
            ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            certificateAuthorities.map { unsafe ccurl_set_string(easy, CURLOPT_CAINFO, $0) }
                ?? CURLE_OK,
        ]
        if let refusal = codes.first(where: { $0 != CURLE_OK }) {
            return .refused(unsafe String(cString: curl_easy_strerror(refusal)))
        }
        guard let code = unsafe perform(easy, isStopping) else {
            return .failed("the server is stopping")
        }
        var status = 0
        unsafe _ = ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        switch status {
        case 200...299: return .done
        case 0:
            let words = unsafe String(cString: text)
            return .failed(
                words.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : words)
        case 408, 429, 500...: return .failed("status \(status)")
        default: return .refused("status \(status)")
        }
    }

    /// Nil: there was no time for it.
    @unsafe private static func perform(
        _ easy: UnsafeMutableRawPointer, _ isStopping: () -> Bool
    ) -> CURLcode? {
        guard let multi = unsafe curl_multi_init() else { return CURLE_OUT_OF_MEMORY }
        defer {
            unsafe curl_multi_remove_handle(multi, easy)
            unsafe curl_multi_cleanup(multi)
        }
        guard unsafe curl_multi_add_handle(multi, easy) == CURLM_OK else {
            return CURLE_OUT_OF_MEMORY
        }
        var runningCount: Int32 = 1
        while true {
            guard unsafe curl_multi_perform(multi, &runningCount) == CURLM_OK else {
                return CURLE_OUT_OF_MEMORY
            }
            if runningCount == 0 { break }
            if isStopping() { return nil }
            unsafe curl_multi_poll(multi, nil, 0, Int32(turn.milliseconds), nil)
        }
        var waitingCount: Int32 = 0
        // SAFETY: one transfer, and its message is read before its handle is removed.
        guard let message = unsafe curl_multi_info_read(multi, &waitingCount) else { return nil }
        return unsafe ccurl_result(message)
    }

    // MARK: - A program

    /// Runs a program with the message as its only argument, as exec checks are run: no shell,
    /// nothing to read, PATH alone. Exit status 0 is success.
    package static func run(
        _ program: String, with message: String, _ isStopping: () -> Bool
    ) -> Delivery {
        let output: FileDescriptor
        do throws(Errno) {
            output = try FileDescriptor { unsafe open("/dev/null", O_WRONLY | O_CLOEXEC) }
        } catch {
            return .failed("cannot open /dev/null: \(error.words)")
        }
        var process: pid_t = 0
        let code = unsafe withStrings([program, message]) { arguments in
            unsafe withStrings([RunningProgram.environment]) { environment in
                unsafe clinux_spawn(&process, arguments[0], arguments, environment, output.number)
            }
        }
        guard code == 0 else { return .failed("cannot run \(program): \(Errno(code).words)") }
        guard let status = wait(for: process, until: .now() + timeout, isStopping) else {
            clinux_kill_group(process)
            _ = waitpid(process, nil, 0)
            return .failed("\(program) did not end within \(timeout.inWords)")
        }
        if status == 0 { return .done }
        return .failed(
            status < 0
                ? "\(program) ended by signal \(-status)" : "\(program): exit status \(status)")
    }

    /// Its exit status, or minus the signal; nil when it has not ended by then.
    private static func wait(
        for process: pid_t, until deadline: MonotonicTime, _ isStopping: () -> Bool
    ) -> Int32? {
        let number = clinux_process_descriptor(process)
        guard number >= 0 else { return nil }
        let descriptor = FileDescriptor(number)
        while MonotonicTime.now() < deadline, !isStopping() {
            var wait = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
            unsafe poll(&wait, 1, Int32(turn.milliseconds))
            var status: Int32 = 0
            if unsafe clinux_take_in(process, &status) { return status }
        }
        return nil
    }
}
