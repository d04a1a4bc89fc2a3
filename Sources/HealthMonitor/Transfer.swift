import Addressing
import CCurl
import Health

/// One probe in flight: an easy handle of libcurl and what it borrows. When it has ended well, the
/// next probe may have it (`TransferPool`).
@safe final class Transfer {
    private(set) var ticket: ProbeTicket
    private(set) var probe: Probe
    let easy: UnsafeMutableRawPointer
    private var connectTo: UnsafeMutablePointer<curl_slist>?
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private let socketErrorNumber: UnsafeMutablePointer<Int32>
    private let intake: UnsafeMutablePointer<ccurl_intake>
    /// What is handed to libcurl, which copies it.
    private var text: [UInt8] = []
    /// Something has been waited for that only a connection can bring. libcurl 7.88 tells the time
    /// of the connection only when the TLS handshake is over too.
    var isConnected = false
    /// The first option libcurl refused.
    private var refusal: CURLcode = CURLE_OK

    /// Nil when libcurl is out of memory.
    init?(_ probe: Probe, ticket: ProbeTicket, certificateAuthorities: String?) {
        guard let easy = unsafe curl_easy_init() else { return nil }
        unsafe self.easy = unsafe easy
        self.probe = probe
        self.ticket = ticket
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe socketErrorNumber = .allocate(capacity: 1)
        unsafe intake = .allocate(capacity: 1)
        unsafe intake.initialize(to: ccurl_intake())
        guard prepare(certificateAuthorities) else { return nil }
    }

    deinit {
        // SAFETY: the easy handle goes first, for it borrows the rest.
        unsafe curl_easy_cleanup(easy)
        letGo()
        unsafe errorText.deallocate()
        unsafe socketErrorNumber.deallocate()
        unsafe intake.deallocate()
    }

    /// Tells transfers in flight apart.
    var key: UInt { unsafe UInt(bitPattern: easy) }

    // MARK: - One probe after the other

    /// Makes it the transfer of another probe, of which nothing is left of the one before. False
    /// when libcurl is out of memory.
    func begin(
        _ probe: Probe, ticket: ProbeTicket, certificateAuthorities: String?
    ) -> Bool {
        // All options, and what the last transfer told; what it borrowed is borrowed no more.
        unsafe curl_easy_reset(easy)
        letGo()
        self.probe = probe
        self.ticket = ticket
        isConnected = false
        return prepare(certificateAuthorities)
    }

    /// Gives back what belongs to this probe alone; no transfer is under way.
    private func letGo() {
        unsafe curl_slist_free_all(connectTo)
        unsafe connectTo = nil
        unsafe curl_slist_free_all(headers)
        unsafe headers = nil
        unsafe intake.pointee.body?.deallocate()
        unsafe intake.pointee = ccurl_intake()
    }

    private func prepare(_ certificateAuthorities: String?) -> Bool {
        refusal = CURLE_OK
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe socketErrorNumber.initialize(to: 0)
        unsafe intake.pointee.body_byte_count_max = probe.check.bodyByteCountMax
        if probe.check.wantsBody {
            // What is not written to takes no memory.
            unsafe intake.pointee.body = .allocate(capacity: probe.check.bodyByteCountMax)
        }
        note(unsafe ccurl_set_error_buffer(easy, errorText))
        note(unsafe ccurl_open_sockets(easy, socketErrorNumber))
        aim()
        restrain()
        if case .tls = probe.check.kind { set(CURLOPT_CONNECT_ONLY, 1) } else { ask() }
        if probe.check.isOverTLS { verify(certificateAuthorities) }
        return refusal == CURLE_OK
    }

    // MARK: - Options

    /// To the probed address, whatever the URL says: no name is ever resolved.
    private func aim() {
        set(CURLOPT_URL) { probe.writeURL(to: &$0) }
        if probe.nameInURL != nil {
            unsafe connectTo = list {
                $0 += "::".utf8
                probe.writeSocketAddress(to: &$0)
            }
            note(unsafe ccurl_set_list(easy, CURLOPT_CONNECT_TO, connectTo))
        }
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
        // libcurl keeps addresses, too, in its cache of names, and goes through all of it for each
        // transfer: with ten thousand probes that was most of the work.
        set(CURLOPT_DNS_CACHE_TIMEOUT, 0)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        // Through no proxy, whatever http_proxy and its like say (CURLOPT_NOPROXY(3)).
        set(CURLOPT_NOPROXY, "*")
    }

    private func ask() {
        let check = probe.check
        set(CURLOPT_HTTP_VERSION, Int(httpVersion))
        // The request is one piece, which leaves at once in any case.
        if !check.isOverTLS, !check.usesHTTP2 { set(CURLOPT_TCP_NODELAY, 0) }
        switch check.method {
        case .get: break
        case .head: set(CURLOPT_NOBODY, 1)
        case .options: set(CURLOPT_CUSTOMREQUEST, check.method.rawValue)
        }
        set(CURLOPT_PATH_AS_IS, 1)
        set(CURLOPT_USERAGENT, "geodns-health/1")
        note(unsafe ccurl_take_in(easy, intake))
        guard let host = check.host ?? check.serverName else { return }
        // As the operator wrote it: libcurl would add the port probed, which need not be the port
        // the world uses.
        unsafe headers = list {
            $0 += "Host: ".utf8
            $0 += host.utf8
        }
        note(unsafe ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers))
    }

    /// Over TLS HTTP/2 is negotiated, and a server may still choose 1.1, which the verdict looks
    /// at; without TLS the front door is taken to know (RFC 9113 §3.3).
    private var httpVersion: Int {
        guard probe.check.usesHTTP2 else { return Int(CURL_HTTP_VERSION_1_1) }
        return probe.check.isOverTLS
            ? Int(CURL_HTTP_VERSION_2TLS) : Int(CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
    }

    private func verify(_ certificateAuthorities: String?) {
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        // For the names in the report when the name is wrong, and for the certificate's end.
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

    private func set(_ option: CURLoption, _ write: (inout [UInt8]) -> Void) {
        fill(write)
        // SAFETY: the text ends with a zero.
        unsafe text.withUnsafeBytes { bytes in
            note(
                unsafe ccurl_set_string(
                    easy, option, bytes.baseAddress?.assumingMemoryBound(to: CChar.self)))
        }
    }

    /// A list of one entry; nil when libcurl is out of memory.
    private func list(
        _ write: (inout [UInt8]) -> Void
    ) -> UnsafeMutablePointer<curl_slist>? {
        fill(write)
        // SAFETY: the text ends with a zero.
        return unsafe text.withUnsafeBytes { bytes in
            unsafe curl_slist_append(
                nil, bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
        }
    }

    private func fill(_ write: (inout [UInt8]) -> Void) {
        text.removeAll(keepingCapacity: true)
        write(&text)
        text.append(0)
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

    /// The first bytes of the body, as far as they were wanted.
    var body: [UInt8] {
        // SAFETY: the body has room for what was counted, and more is never counted.
        unsafe intake.pointee.body.map { body in
            unsafe Array(UnsafeBufferPointer(start: body, count: intake.pointee.body_byte_count))
        } ?? []
    }

    /// How much of the body was read, whether it was wanted or not.
    var bodyByteCount: Int { unsafe intake.pointee.body_byte_count }

    var isHeaderTooLong: Bool {
        unsafe intake.pointee.header_byte_count > Int(ccurl_header_byte_count_max)
    }

    /// The names and addresses the server's certificate is for, as OpenSSL prints them:
    /// `DNS:app.example`. Empty when there is none.
    var certificateNames: [String] {
        (certificateField("X509v3 Subject Alternative Name:") ?? "").split(separator: ",").map {
            String($0.drop { $0 == " " })
        }
    }

    /// When the server's certificate ends, in OpenSSL's form: `Nov 21 14:38:50 2026 GMT`.
    var certificateEnd: String? { certificateField("Expire date:") }

    /// A field of the server's own certificate, which comes first (CURLINFO_CERTINFO(3)).
    private func certificateField(_ title: String) -> String? {
        var chain: UnsafeMutablePointer<curl_certinfo>?
        guard unsafe ccurl_get_certificates(easy, &chain) == CURLE_OK, let chain = unsafe chain,
            unsafe chain.pointee.num_of_certs > 0, let fields = unsafe chain.pointee.certinfo
        else { return nil }
        var field = unsafe fields[0]
        while let current = unsafe field {
            let text = unsafe String(cString: current.pointee.data)
            if text.hasPrefix(title) { return String(text.dropFirst(title.utf8.count)) }
            unsafe field = unsafe current.pointee.next
        }
        return nil
    }
}

extension CheckSpecification {
    /// The certificate is verified.
    var isOverTLS: Bool {
        switch kind {
        case .https, .tls: true
        case .load: usesTLS
        default: false
        }
    }

    fileprivate func writePath(to text: inout [UInt8]) {
        switch kind {
        case .http(let path), .https(let path), .load(let path):
            if path.utf8.first != UInt8(ascii: "/") { text.append(UInt8(ascii: "/")) }
            text += path.utf8
        default: text.append(UInt8(ascii: "/"))
        }
    }
}

extension Probe {
    /// What is asked for, and what name is verified; not where the connection goes.
    var url: String {
        var text: [UInt8] = []
        writeURL(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends what `url` is: it is needed for each probe, a thousand times a second.
    fileprivate func writeURL(to text: inout [UInt8]) {
        text += (check.isOverTLS ? "https://" : "http://").utf8
        if let name = nameInURL {
            // IPv6 addresses stand in brackets (RFC 3986 §3.2.2).
            let isAddress = name.utf8.contains(UInt8(ascii: ":"))
            if isAddress { text.append(UInt8(ascii: "[")) }
            text += name.utf8
            if isAddress { text.append(UInt8(ascii: "]")) }
            writePort(to: &text)
        } else {
            writeSocketAddress(to: &text)
        }
        check.writePath(to: &text)
    }

    /// Nil: the probed address itself stands in the URL.
    fileprivate var nameInURL: String? { check.isOverTLS ? check.tlsName : check.host }

    /// Appends the probed address and port, as in a URL: `[2001:db8::1]:443`.
    fileprivate func writeSocketAddress(to text: inout [UInt8]) {
        if address.family == .ipv6 { text.append(UInt8(ascii: "[")) }
        address.write(to: &text)
        if address.family == .ipv6 { text.append(UInt8(ascii: "]")) }
        writePort(to: &text)
    }

    private func writePort(to text: inout [UInt8]) {
        text.append(UInt8(ascii: ":"))
        text += String(check.port).utf8
    }
}
