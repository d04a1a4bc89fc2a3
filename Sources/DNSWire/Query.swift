import Tables

/// RCODE, as far as a server answers with one (RFC 1035 §4.1.1, RFC 6891 §9 for BADVERS).
package enum ResponseCode: UInt16, Sendable, BitwiseCopyable, CaseIterable {
    case noError = 0
    case formatError = 1
    case serverFailure = 2
    case nameError = 3
    case notImplemented = 4
    case refused = 5
    /// YXDOMAIN: a DNAME makes a name that is too long (RFC 2136 §2.2, RFC 6672 §2.2).
    case nameExists = 6
    /// Extended: the upper eight bits travel in OPT.
    case badVersion = 16
    /// Extended too (RFC 7873 §8).
    case badCookie = 23

    /// As `dig` prints it.
    package var mnemonic: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        case .nameExists: "YXDOMAIN"
        case .badVersion: "BADVERS"
        case .badCookie: "BADCOOKIE"
        }
    }
}

/// A query message, decoded in place; its name is in the `QuestionName` it was decoded with.
package struct Query: Sendable, BitwiseCopyable {
    package var type = RRType(rawValue: 0)
    package var `class`: UInt16 = 0
    /// Where the question ends in the message; 12 when there is no readable question.
    package var questionEnd = Query.headerByteCount
    package var edns: EDNS?
    /// Nil without EDNS, as is the client subnet.
    package var cookie: Cookie?
    package var clientSubnet: ClientSubnet?
    /// Right after the question stands an OPT of version 0 with `clientSubnet`, and nothing else
    /// in it.
    package var hasSubnetAlone = false

    package static let headerByteCount = 12
    /// RFC 1035 §3.2.4
    package static let classIN: UInt16 = 1
    /// RFC 1035 §3.2.5: `*`
    package static let classAny: UInt16 = 255

    /// RFC 1035 §3.2.4: the class that servers speak of themselves in.
    package static let classCH: UInt16 = 3

    package enum Verdict: Sendable, BitwiseCopyable {
        case query
        /// No question, but a cookie: the client only wants to learn a server cookie, or whether
        /// the one it has is still good (RFC 7873 §5.4).
        case cookieOnly
        /// Not a query, or too short to be answered: silence.
        case ignore
        /// Answer with this code and nothing else.
        case reject(ResponseCode)
    }

    package init() {}

    /// Decodes `message`; malformed input is a verdict, never an error.
    ///
    /// Bytes after the last record are ignored, as BIND does: no RFC says what they would mean.
    package mutating func decode(
        _ message: Span<UInt8>, name: inout QuestionName
    ) -> Verdict {
        self = Query()
        guard message.count >= Query.headerByteCount, message[2] & 0x80 == 0 else { return .ignore }
        guard message[2] & 0x78 == 0 else { return decodeOtherOpcode(message, name: &name) }
        let counts = message.word(at: 4).byteSwapped
        guard counts >> 48 == 1 else { return decodeWithoutQuestion(message) }
        guard decodeQuestion(message, name: &name) else { return .reject(.formatError) }
        // Only the question.
        if counts == 1 << 48 { return .query }
        if counts == 1 << 48 | 1, decodeSoleOPT(message) { return .query }
        return decodeRecords(message)
    }

    /// What follows nearly every question that is followed by something: an OPT of version 0. False
    /// says nothing, and nothing has been kept.
    @inline(never)
    private mutating func decodeSoleOPT(_ message: Span<UInt8>) -> Bool {
        // From there on.
        let record = message.extracting(droppingFirst: questionEnd)
        guard record.count >= 11, record[0] == 0 else { return false }
        let fixed = record.word(at: 1).byteSwapped
        let byteCount = Int(record.uint16(at: 9))
        guard fixed &>> 48 == UInt64(RRType.opt.rawValue), fixed &>> 16 & 0xff == 0,
            byteCount <= record.count &- 11
        else { return false }
        if byteCount == 0 {
            edns = EDNS(fixed: fixed)
            return true
        }
        guard byteCount >= 8 else { return false }
        let range = 11..<11 &+ byteCount
        if let subnet = ClientSubnet(shortOption: record, in: range) {
            clientSubnet = subnet
            hasSubnetAlone = true
        } else if !readSoleOption(record, in: range) {
            return false
        }
        edns = EDNS(fixed: fixed)
        return true
    }

    /// False for an option that is neither a cookie nor a client subnet, one among others, or a
    /// malformed one.
    @inline(never)
    private mutating func readSoleOption(_ record: Span<UInt8>, in range: Range<Int>) -> Bool {
        let head = record.uint32(at: range.lowerBound)
        let (code, data) = (head &>> 16, range.lowerBound &+ 4..<range.upperBound)
        guard head & 0xffff == UInt32(data.count) else { return false }
        if code == Cookie.optionCode {
            cookie = Cookie(in: questionEnd &+ data.lowerBound..<questionEnd &+ data.upperBound)
            return cookie != nil
        }
        guard code == ClientSubnet.optionCode, let subnet = ClientSubnet(record, in: data) else {
            return false
        }
        clientSubnet = subnet
        hasSubnetAlone = true
        return true
    }

    @inline(__always)
    private mutating func decodeQuestion(
        _ message: Span<UInt8>, name: inout QuestionName
    ) -> Bool {
        guard let nameEnd = name.read(message, at: Query.headerByteCount),
            nameEnd + 4 <= message.count
        else { return false }
        let typeAndClass = message.uint32(at: nameEnd)
        type = RRType(rawValue: UInt16(truncatingIfNeeded: typeAndClass >> 16))
        `class` = UInt16(truncatingIfNeeded: typeAndClass)
        questionEnd = nameEnd + 4
        return true
    }

    /// Nothing but the header of another opcode is known, so nothing else comes back; but an OPT
    /// record, if there is one to be seen, is answered with one (RFC 6891 §6.1.1, §7).
    @inline(never)
    private mutating func decodeOtherOpcode(
        _ message: Span<UInt8>, name: inout QuestionName
    ) -> Verdict {
        let questionCount = message.uint16(at: 4)
        if questionCount == 0 || questionCount == 1 && decodeQuestion(message, name: &name) {
            let verdict = decodeRecords(message)
            questionEnd = Query.headerByteCount
            if case .reject(.formatError) = verdict {
                edns = nil
                cookie = nil
                clientSubnet = nil
            }
        }
        return .reject(.notImplemented)
    }

    /// More than one question has no meaning (RFC 9619 §4); none has one with a cookie.
    @inline(never)
    private mutating func decodeWithoutQuestion(_ message: Span<UInt8>) -> Verdict {
        guard message.uint16(at: 4) == 0 else { return .reject(.formatError) }
        let verdict = decodeRecords(message)
        guard case .query = verdict else { return verdict }
        return cookie == nil ? .reject(.formatError) : .cookieOnly
    }

    /// Walks over the records after the question; only OPT in the additional section matters.
    private mutating func decodeRecords(_ message: Span<UInt8>) -> Verdict {
        // Positions are sums of a few lengths of two bytes each: they do not overflow.
        let before = Int(message.uint16(at: 6)) &+ Int(message.uint16(at: 8))
        let total = before &+ Int(message.uint16(at: 10))
        var position = questionEnd
        var index = 0
        while index < total {
            guard let ownerEnd = skipName(message, at: position), ownerEnd &+ 10 <= message.count
            else { return .reject(.formatError) }
            // Type, class and TTL; then RDLENGTH.
            let fixed = message.word(at: ownerEnd).byteSwapped
            let dataStart = ownerEnd &+ 10
            let dataEnd = dataStart &+ Int(message.uint16(at: ownerEnd &+ 8))
            guard dataEnd <= message.count else { return .reject(.formatError) }
            if fixed &>> 48 == UInt64(RRType.opt.rawValue) {
                // One OPT, owned by the root, in the additional section (RFC 6891 §6.1.1).
                guard edns == nil, index >= before, ownerEnd == position &+ 1,
                    decodeOPT(message, fixed: fixed, options: dataStart..<dataEnd)
                else { return .reject(.formatError) }
            }
            position = dataEnd
            index &+= 1
        }
        if let edns, edns.version != 0 { return .reject(.badVersion) }
        return .query
    }

    /// False when an option is cut short or malformed. Options of a version other than 0 may mean
    /// anything: they are not looked at.
    private mutating func decodeOPT(
        _ message: Span<UInt8>, fixed: UInt64, options: Range<Int>
    ) -> Bool {
        var edns = EDNS(fixed: fixed)
        let isReadable =
            options.isEmpty || edns.version != 0
            || readOptions(message, in: options, into: &edns)
        self.edns = edns
        return isReadable
    }

    /// The position after the name at `start`, which may be compressed; nil when cut short.
    private func skipName(_ message: Span<UInt8>, at start: Int) -> Int? {
        var position = start
        while position < message.count {
            let length = Int(message[position])
            if length == 0 { return position &+ 1 }
            if length >= 0xc0 { return position &+ 2 }
            guard length <= DomainName.labelByteCountMax else { return nil }
            position &+= 1 &+ length
        }
        return nil
    }
}
