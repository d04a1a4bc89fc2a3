import DNSWire
import Steering
import Tables
import Zones

extension Responder {
    /// Writes the response; true when it was truncated.
    ///
    /// Sections and truncation are known here and nowhere else: the answer and authority sections
    /// go whole or not at all (RFC 2181 §9), and a referral without all of its glue is truncated
    /// too (RFC 9471 §3.1).
    mutating func encode(_ message: Span<UInt8>, into writer: inout MessageWriter) -> Bool {
        guard writer.putQuestion(message, upTo: query.questionEnd) else { return false }
        names.reset(questionEnd: query.questionEnd)
        let room = writer.limit
        let hasEDNS = query.edns != nil
        if hasEDNS { writer.limit -= requiredOptionByteCount }
        let bodyStart = writer.count
        var counts: UInt64 = 0
        var isTruncated = answer.isTruncated
        for index in 0..<answer.count {
            let section = answer[index].section
            let before = writer.count
            guard let written = put(index, into: &writer) else {
                isTruncated = true
                if section == .additional {
                    truncate(&writer, to: before)
                } else {
                    truncate(&writer, to: bodyStart)
                    counts = 0
                }
                break
            }
            counts &+= section.count(of: written)
        }
        writer.limit = room
        if hasEDNS {
            putOPT(message, into: &writer)
            counts &+= AnswerItem.Section.additional.count(of: 1)
        }
        if query.questionEnd > Query.headerByteCount { counts |= 1 << 48 }
        writer.patchHeader(flags: flags(message, isTruncated: isTruncated), counts: counts)
        return isTruncated
    }

    /// QR, AA, TC and RCODE are ours; the opcode is copied, and RD (RFC 1035 §4.1.1) where it has a
    /// meaning (RFC 6895 §2.1: flags are those of the opcode). The rest is zero: RA, as there is no
    /// recursion, Z, AD, as nothing is validated, and CD, which an authoritative server should
    /// clear (RFC 4035 §3.1.6).
    @inline(__always)
    mutating func flags(_ message: Span<UInt8>, isTruncated: Bool) -> UInt16 {
        let asked = message.uint16(at: 2)
        var flags: UInt16 = 0x8000 | asked & 0x7800
        if asked & 0x7800 == 0 { flags |= asked & 0x0100 }
        if answer.isAuthoritative { flags |= 0x0400 }
        if isTruncated { flags |= 0x0200 }
        return flags | answer.code.rawValue & 0xf
    }

    private mutating func truncate(_ writer: inout MessageWriter, to position: Int) {
        writer.truncate(to: position)
        names.truncate(to: position)
    }

    // MARK: - Records

    /// Writes an item. The number of records written; nil when they do not fit.
    ///
    /// Two kinds of items are in nearly all answers: records of the zone, without names that may
    /// be compressed, and addresses, both of the name asked. They take the short way.
    @inline(__always)
    private mutating func put(_ index: Int, into writer: inout MessageWriter) -> UInt16? {
        guard answer[index].owner == AnswerItem.question else {
            return putWithNames(index, into: &writer)
        }
        let (type, count, bytes, start): (RRType, UInt16, TableView<UInt8>, Int)
        switch answer[index].content {
        case .rrset(let index):
            (type, count) = (zones.rrsets[index].type, zones.rrsets[index].recordCount)
            (bytes, start) = (zones.bytes, Int(zones.rrsets[index].dataOffset))
        case .addresses(let family, let first, let number):
            (type, count) = (family, number)
            (bytes, start) = (steering.bytes, first)
        default:
            return putWithNames(index, into: &writer)
        }
        guard !type.mayCompress else { return putWithNames(index, into: &writer) }
        let ttl = answer[index].ttl
        return writer.putRecordsOfQuestion(type, ttl: ttl, count, bytes, at: start) ? count : nil
    }

    @inline(never)
    private mutating func putWithNames(
        _ index: Int, into writer: inout MessageWriter
    ) -> UInt16? {
        let item = answer[index]
        switch item.content {
        case .rrset(let index):
            return put(zones.rrsets[index], item, into: &writer)
        case .addresses(let type, let start, let count):
            var position = start
            for _ in 0..<count {
                let end = position + 2 + Int(steering.bytes.uint16(at: position))
                guard putFixed(item, type, into: &writer),
                    writer.put(steering.bytes, position..<end)
                else { return nil }
                position = end
            }
            return count
        case .service(let index):
            return putService(zones.rrsets[index], item, into: &writer)
        case .synthesized(let name):
            guard putFixed(item, .cname, into: &writer),
                putWithLength(answer.names.view, at: name, into: &writer)
            else { return nil }
            return 1
        case .external(let name):
            guard putFixed(item, .cname, into: &writer),
                putWithLength(steering.bytes, at: name, into: &writer)
            else { return nil }
            return 1
        case .text(let start, let count):
            guard putFixed(item, .txt, class: Query.classCH, into: &writer),
                writer.put16(UInt16(count)),
                writer.put(texts, start..<start + count)
            else { return nil }
            return 1
        case .epoch:
            guard putFixed(item, .txt, class: Query.classCH, into: &writer),
                writer.put16(UInt16(epoch.count)),
                writer.put(epoch, 0..<epoch.count)
            else { return nil }
            return 1
        }
    }

    private mutating func put(
        _ rrset: RRset, _ item: AnswerItem, into writer: inout MessageWriter
    ) -> UInt16? {
        var position = Int(rrset.dataOffset)
        for _ in 0..<rrset.recordCount {
            let start = position + 2
            let rdata = start..<start + Int(zones.bytes.uint16(at: position))
            guard putFixed(item, rrset.type, into: &writer),
                putRDATA(rdata, rrset.type, into: &writer)
            else { return nil }
            position = rdata.upperBound
        }
        return rrset.recordCount
    }

    /// Owner, type, class and TTL.
    mutating func putFixed(
        _ item: AnswerItem, _ type: RRType, class: UInt16 = Query.classIN,
        into writer: inout MessageWriter
    ) -> Bool {
        let hasOwner: Bool
        if item.owner == AnswerItem.question {
            hasOwner = writer.putPointerToQuestion()
        } else if item.owner < AnswerItem.question {
            hasOwner = names.put(
                answer.names.view, at: AnswerItem.owner(synthesizedAt: item.owner), into: &writer)
        } else {
            hasOwner = names.put(zones.bytes, at: item.owner, into: &writer)
        }
        let fixed =
            UInt64(type.rawValue) << 48 | UInt64(`class`) << 32 | UInt64(item.ttl)
        return hasOwner && writer.putWord(fixed.byteSwapped)
    }

    private mutating func putRDATA(
        _ rdata: Range<Int>, _ type: RRType, into writer: inout MessageWriter
    ) -> Bool {
        guard let inside = type.compressibleNames else {
            // RDLENGTH stands before it.
            let isWritten = writer.put(zones.bytes, rdata.lowerBound - 2..<rdata.upperBound)
            // Never compressed (RFC 6672 §2.5), but the CNAME that follows may point to it.
            if type == .dname, isWritten {
                names.remember(writer.count - rdata.count..<writer.count, in: writer)
            }
            return isWritten
        }
        let before = writer.count
        var position = rdata.lowerBound + inside.offset
        guard writer.put16(0), writer.put(zones.bytes, rdata.lowerBound..<position) else {
            return false
        }
        for _ in 0..<inside.count {
            guard names.put(zones.bytes, at: position, into: &writer) else { return false }
            while zones.bytes[position] != 0 { position += 1 + Int(zones.bytes[position]) }
            position += 1
        }
        guard writer.put(zones.bytes, position..<rdata.upperBound) else { return false }
        writer.patch16(UInt16(writer.count - before - 2), at: before)
        return true
    }

    /// RDLENGTH and the name at `position` of `bytes`.
    private mutating func putWithLength(
        _ bytes: TableView<UInt8>, at position: Int, into writer: inout MessageWriter
    ) -> Bool {
        let before = writer.count
        guard writer.put16(0), names.put(bytes, at: position, into: &writer) else { return false }
        writer.patch16(UInt16(writer.count - before - 2), at: before)
        return true
    }
}
