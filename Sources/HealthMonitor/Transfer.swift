import Addressing
import CCurl
import Health

/// One probe in flight: an easy handle of libcurl and what it borrows.
@safe final class Transfer {
    let ticket: ProbeTicket
    let probe: Probe
    let easy: UnsafeMutableRawPointer
    private var connectTo: UnsafeMutablePointer<curl_slist>?
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private let socketErrorNumber: UnsafeMutablePointer<Int32>
    /// The first option libcurl refused.
    private var refusal: CURLcode = CURLE_OK

    /// Nil when libcurl is out of memory.
    init?(_ probe: Probe, ticket: ProbeTicket, certificateAuthorities: String?) {
        guard let easy = unsafe curl_easy_init() else { return nil }
        unsafe self.easy = unsafe easy
        self.probe = probe
        self.ticket = ticket
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe socketErrorNumber = .allocate(capacity: 1)
        unsafe socketErrorNumber.initialize(to: 0)
        note(unsafe ccurl_set_error_buffer(easy, errorText))
        note(unsafe ccurl_open_sockets(easy, socketErrorNumber))
        aim()
        restrain()
        switch probe.check.kind {
        case .http: ask()
        case .https:
            ask()
            verify(certificateAuthorities)
        case .tcp: set(CURLOPT_CONNECT_ONLY, 1)
        }
        guard refusal == CURLE_OK else { return nil }
    }

    deinit {
        // SAFETY: the easy handle goes first, for it borrows the rest.
        unsafe curl_easy_cleanup(easy)
        unsafe curl_slist_free_all(connectTo)
        unsafe curl_slist_free_all(headers)
        unsafe errorText.deallocate()
        unsafe socketErrorNumber.deallocate()
    }

    /// Tells transfers in flight apart.
    var key: UInt { unsafe UInt(bitPattern: easy) }

    // MARK: - Options

    /// To the probed address, whatever the URL says: no name is ever resolved.
    private func aim() {
        set(CURLOPT_URL, probe.url)
        unsafe connectTo = unsafe curl_slist_append(nil, "::\(probe.socketAddress)")
        note(unsafe ccurl_set_list(easy, CURLOPT_CONNECT_TO, connectTo))
        // An IPv4 source cannot reach an IPv6 address: there the kernel chooses.
        if let source = probe.check.source, source.family == probe.address.family {
            set(CURLOPT_INTERFACE, "host!\(source)")
        }
    }

    /// One connection of its own, no detours, no time beyond the timeout.
    private func restrain() {
        set(CURLOPT_TIMEOUT_MS, max(1, Int(clamping: probe.check.timeout.milliseconds)))
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_FRESH_CONNECT, 1)
        set(CURLOPT_FORBID_REUSE, 1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        // The empty string switches http_proxy and its like off (CURLOPT_PROXY(3)).
        set(CURLOPT_PROXY, "")
    }

    private func ask() {
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_PATH_AS_IS, 1)
        set(CURLOPT_USERAGENT, "geodns-health/1")
        note(unsafe ccurl_discard_body(easy))
        guard let host = probe.check.host else { return }
        // As the operator wrote it: libcurl would add the port probed, which need not be the port
        // the world uses.
        unsafe headers = unsafe curl_slist_append(nil, "Host: \(host)")
        note(unsafe ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers))
    }

    private func verify(_ certificateAuthorities: String?) {
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        // For the names in the report when the name is wrong.
        set(CURLOPT_CERTINFO, 1)
        // With a folder of authorities libcurl reads and parses all of them for each connection;
        // with a file alone it keeps them (CURLOPT_CA_CACHE_TIMEOUT(3)), here for an hour.
        note(unsafe ccurl_set_string(easy, CURLOPT_CAPATH, nil))
        set(CURLOPT_CA_CACHE_TIMEOUT, 3600)
        if let certificateAuthorities { set(CURLOPT_CAINFO, certificateAuthorities) }
    }

    private func set(_ option: CURLoption, _ value: Int) {
        note(unsafe ccurl_set_long(easy, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) {
        note(unsafe ccurl_set_string(easy, option, value))
    }

    private func note(_ code: CURLcode) {
        if refusal == CURLE_OK { refusal = code }
    }

    // MARK: - What came of it

    /// libcurl's own words for a failure; empty when it had none.
    var errorWords: String { unsafe String(cString: errorText) }

    /// errno(3) of the socket that could not be opened, or of the connection that was not made;
    /// zero when neither is known.
    var errorNumber: Int32 {
        let opening = unsafe socketErrorNumber.pointee
        return opening != 0 ? opening : Int32(truncatingIfNeeded: number(CURLINFO_OS_ERRNO))
    }

    /// Zero when libcurl does not know.
    func number(_ info: CURLINFO) -> Int {
        var value = 0
        let code = unsafe ccurl_get_long(easy, info, &value)
        return code == CURLE_OK ? value : 0
    }

    /// A moment of the transfer, from its start; nil when it was never reached.
    func time(_ info: CURLINFO) -> Duration? {
        var microseconds: curl_off_t = 0
        let code = unsafe ccurl_get_offset(easy, info, &microseconds)
        return code == CURLE_OK && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// The names and addresses the server's certificate is for, as OpenSSL prints them:
    /// `DNS:app.example`. Empty when there is none.
    var certificateNames: [String] {
        var chain: UnsafeMutablePointer<curl_certinfo>?
        guard unsafe ccurl_get_certificates(easy, &chain) == CURLE_OK, let chain = unsafe chain,
            unsafe chain.pointee.num_of_certs > 0, let fields = unsafe chain.pointee.certinfo
        else { return [] }
        let title = "X509v3 Subject Alternative Name:"
        // The server's own certificate comes first (CURLINFO_CERTINFO(3)).
        var field = unsafe fields[0]
        while let current = unsafe field {
            let text = unsafe String(cString: current.pointee.data)
            if text.hasPrefix(title) {
                return text.dropFirst(title.utf8.count).split(separator: ",").map {
                    String($0.drop { $0 == " " })
                }
            }
            unsafe field = unsafe current.pointee.next
        }
        return []
    }
}

extension Probe {
    /// The probed address and port, as in a URL: `[2001:db8::1]:443`.
    var socketAddress: String { "\(Probe.bracketed("\(address)")):\(check.port)" }

    /// What is asked for, and what name is verified; not where the connection goes.
    var url: String {
        let name = check.host.map(Probe.bracketed) ?? Probe.bracketed("\(address)")
        let authority = "\(name):\(check.port)"
        switch check.kind {
        case .http(let path): return "http://\(authority)\(path.hasPrefix("/") ? path : "/" + path)"
        case .https(let path):
            return "https://\(authority)\(path.hasPrefix("/") ? path : "/" + path)"
        case .tcp: return "http://\(socketAddress)/"
        }
    }

    /// IPv6 addresses stand in brackets (RFC 3986 §3.2.2).
    private static func bracketed(_ host: String) -> String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    }
}
