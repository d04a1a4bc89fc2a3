package import DNSWire
import Tables

/// Where address hints belong in the RDATA of an SVCB or HTTPS record (RFC 9460 §7.3) that is in
/// ServiceMode and describes its own owner.
///
/// At a GEO name these are the addresses that the GEO record gives the same client, put in when the
/// record is answered.
package struct HintPlaces: BitwiseCopyable {
    /// Positions from the start of the RDATA: keys stand in ascending order (RFC 9460 §2.2), and
    /// between the two there may be `ech`.
    package let ipv4: Int
    package let ipv6: Int
    /// The record has hints, which stay as they are.
    let isTaken: Bool

    /// Nil for AliasMode, and where another name is described. `rdata` stands in `bytes`, which are
    /// well-formed, and so does the name of the owner, in lower case.
    @inline(__always)
    init?(in rdata: Range<Int>, owner: Int, _ bytes: (Int) -> UInt8) {
        func number(at position: Int) -> Int {
            Int(bytes(position)) << 8 | Int(bytes(position + 1))
        }
        // AliasMode has SvcPriority 0 (RFC 9460 §2.4.2).
        guard number(at: rdata.lowerBound) != 0 else { return nil }
        var position = rdata.lowerBound + 2
        // The root stands for the owner (RFC 9460 §2.5.2).
        if bytes(position) != 0 {
            var offset = 0
            while true {
                let length = bytes(position + offset)
                guard length == bytes(owner + offset) else { return nil }
                offset += 1
                if length == 0 { break }
                for _ in 0..<length {
                    guard lowercased(bytes(position + offset)) == bytes(owner + offset)
                    else { return nil }
                    offset += 1
                }
            }
            position += offset
        } else {
            position += 1
        }
        var (ipv4, ipv6, isTaken) = (position, position, false)
        while position < rdata.upperBound {
            let key = number(at: position)
            if key == HintPlaces.ipv4Key || key == HintPlaces.ipv6Key { isTaken = true }
            position += 4 + number(at: position + 2)
            if key < HintPlaces.ipv4Key { ipv4 = position }
            if key < HintPlaces.ipv6Key { ipv6 = position }
        }
        self.ipv4 = ipv4 - rdata.lowerBound
        self.ipv6 = ipv6 - rdata.lowerBound
        self.isTaken = isTaken
    }

    package static let ipv4Key = 4
    package static let ipv6Key = 6
}

extension ZoneTable {
    /// Whether any record of this type at `owner` takes hints, as an operator's tools ask.
    package func takesHints(_ type: RRType, at owner: DomainName) -> Bool {
        guard type == .svcb || type == .https else { return false }
        return withExtendedLifetime(self) {
            let view = unsafe view
            guard let node = view.node(named: owner), let rrset = view.rrset(type, at: node) else {
                return false
            }
            return view.takesHints(rrset, at: node)
        }
    }
}

extension ZoneTable.View {
    /// Of the record whose RDATA this is, at `node`; nil: it takes none.
    package func hintPlaces(in rdata: Range<Int>, at node: Int) -> HintPlaces? {
        guard
            let places = HintPlaces(
                in: rdata, owner: Int(nodes[node].nameOffset), { bytes[$0] }), !places.isTaken
        else { return nil }
        return places
    }

    /// Whether any record of an RRset of SVCB or HTTPS at `node` takes hints.
    package func takesHints(_ rrset: Int, at node: Int) -> Bool {
        var position = Int(rrsets[rrset].dataOffset)
        for _ in 0..<rrsets[rrset].recordCount {
            let rdata = position + 2..<position + 2 + Int(bytes.uint16(at: position))
            if hintPlaces(in: rdata, at: node) != nil { return true }
            position = rdata.upperBound
        }
        return false
    }
}
