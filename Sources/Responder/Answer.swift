import DNSWire
import Steering
import Tables
import Zones

/// One RRset of an answer: a reference, nothing is written yet.
struct AnswerItem: BitwiseCopyable {
    enum Section: UInt8, BitwiseCopyable {
        case answer, authority, additional
    }
    enum Content: BitwiseCopyable {
        /// An RRset of the zone table.
        case rrset(Int)
        /// Addresses that steering picked: where they start in the steering view's bytes.
        case addresses(RRType, start: Int, count: Int)
        /// CNAME to a name in the steering view's bytes.
        case external(Int)
    }
    var section: Section
    /// Where the owner name stands in the zone table's bytes; `AnswerItem.question`: the QNAME.
    var owner: Int
    var content: Content
    var ttl: UInt32

    static let question = -1
}

/// What a query is answered with: decided first (`Responder+Lookup`), written afterwards
/// (`Responder+Encoding`).
struct Answer: ~Copyable {
    var code = ResponseCode.noError
    var isAuthoritative = false
    /// ECS scope of the answer (RFC 7871 §7.2.1).
    var scope = 0
    private(set) var count = 0
    private var items = ScratchArray(
        capacity: 48,
        repeating: AnswerItem(section: .answer, owner: 0, content: .rrset(0), ttl: 0))

    /// Empties it for the next query; the items' memory stays as it is.
    mutating func reset() {
        code = .noError
        isAuthoritative = false
        scope = 0
        count = 0
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
