import DNSWire
import Steering
import Tables
import Zones

/// One RRset of an answer: a reference, nothing is written yet.
struct AnswerItem: BitwiseCopyable {
    enum Section: UInt8, BitwiseCopyable {
        case answer, authority, additional

        /// So many records in this section, as `MessageWriter.patchHeader` wants them.
        func count(of records: UInt16) -> UInt64 {
            UInt64(records) &<< UInt64(32 &- 16 &* rawValue)
        }
    }
    enum Content: BitwiseCopyable {
        /// An RRset of the zone table.
        case rrset(Int)
        /// Addresses that steering picked: where they start in the steering view's bytes, each
        /// after its RDLENGTH.
        case addresses(RRType, start: Int, count: UInt16)
        /// CNAME to a name in the steering view's bytes.
        case external(Int)
        /// TXT of class CH: where its RDATA starts in the settings' bytes.
        case text(start: Int, count: Int)
        /// TXT of class CH: the snapshot's epoch.
        case epoch
        /// CNAME to a name in `Answer.names`, made from a DNAME.
        case synthesized(Int)
        /// An RRset of SVCB or HTTPS of the zone table, with `Answer.hints`.
        case service(Int)
    }
    var section: Section
    /// Where the owner name stands in the zone table's bytes; `AnswerItem.question`: the QNAME;
    /// below that a place in `Answer.names`.
    var owner: Int
    var content: Content
    var ttl: UInt32

    static let question = -1

    /// The owner that stands at `position` of `Answer.names`.
    static func owner(synthesizedAt position: Int) -> Int { -2 - position }
}

/// What the server cookie of a query was worth.
enum CookieState: BitwiseCopyable {
    /// No COOKIE option.
    case none
    /// A client cookie alone: the client does not know the server's yet.
    case learning
    /// Made by this server, or one that shares its secret, for this client, not too long ago.
    case good
    case bad
}

/// What a query is answered with: decided first (`Responder+Lookup`), written afterwards
/// (`Responder+Encoding`).
struct Answer: ~Copyable {
    var code = ResponseCode.noError
    var isAuthoritative = false
    /// ECS scope of the answer (RFC 7871 §7.2.1).
    var scope = 0
    var extendedError: ExtendedError?
    /// Without records, for TC: the client is to come over TCP.
    private(set) var isTruncated = false
    /// Where the QNAME led; nil when it was not looked up.
    var lookup: ZoneTable.Lookup?
    /// Made already for the GEO name that the QNAME leads to: not to be drawn twice. Whoever takes
    /// it sets it to nil.
    var decision: Decision?
    /// Of the one GEO name that an answer may come from; no meaning without `.service`.
    var hints = ServiceHints()
    var cookieState = CookieState.none
    /// Of the server cookie that goes back; no meaning when `cookieState` is `none`.
    var cookieFront: UInt64 = 0
    var cookieHash: UInt64 = 0
    /// CNAMEs in it, those made from DNAMEs too.
    var aliasCount = 0
    /// Names made for this answer.
    var names = SynthesizedNames()
    private(set) var count = 0
    private var items = ScratchArray(
        capacity: 48,
        repeating: AnswerItem(section: .answer, owner: 0, content: .rrset(0), ttl: 0))

    /// Empties it for the next query; the items' memory stays as it is.
    mutating func reset() {
        code = .noError
        isAuthoritative = false
        scope = 0
        extendedError = nil
        isTruncated = false
        lookup = nil
        cookieState = .none
        aliasCount = 0
        names.reset()
        count = 0
    }

    /// Takes back what it says, for an error.
    mutating func become(_ code: ResponseCode) {
        self.code = code
        isAuthoritative = false
        scope = 0
        extendedError = nil
        count = 0
    }

    /// Takes back what it says: over TCP the client gets it.
    mutating func becomeTruncated() {
        become(.noError)
        isTruncated = true
    }

    /// False when there is no room; only glue of a very large delegation can meet that.
    @discardableResult
    mutating func add(_ item: AnswerItem) -> Bool {
        guard count < items.capacity else { return false }
        items[count] = item
        count += 1
        return true
    }

    subscript(index: Int) -> AnswerItem { items[index] }
}
