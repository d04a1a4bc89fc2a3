import Addressing
import CLinux
import Glibc
import Responder
import SystemCalls

/// The memory of one worker for datagrams: up to `slotCount` queries received with one system
/// call, and their replies sent with another. Allocated once; nothing is per datagram.
///
/// Reply headers point at the sender's address and at the control message where the kernel put
/// them, so that neither is copied or converted on the way back.
@safe
struct DatagramBatch: ~Copyable {
    /// More saves less and less of a system call, and makes the first reply wait longer.
    static let slotCount = 64

    /// Not a power of two, so that the slots fall into different cache sets.
    private static let queryByteCountMax = DatagramRules.queryByteCountMax

    private static let addressStride = 32
    private static let controlStride = Int(clinux_control_byte_count)

    private let incoming: UnsafeMutablePointer<clinux_mmsghdr>
    private let outgoing: UnsafeMutablePointer<clinux_mmsghdr>
    private let incomingParts: UnsafeMutablePointer<iovec>
    private let outgoingParts: UnsafeMutablePointer<iovec>
    private let addresses: UnsafeMutableRawPointer
    private let controls: UnsafeMutableRawPointer
    private let queries: UnsafeMutablePointer<UInt8>
    private let responses: UnsafeMutablePointer<UInt8>

    /// Room for one response.
    private let responseByteCountMax: Int

    private var rules: DatagramRules

    /// How many slots of `incoming` hold a query, and how many of `outgoing` a reply.
    private var queryCount = 0
    private var replyCount = 0
    /// Datagrams of the last batch that a proxy has to put a header before, and did not.
    var rejectedHeaderCount: Int { rules.rejectedHeaderCount }

    init(responseByteCountMax: Int, proxies: ProxySources) {
        self.responseByteCountMax = responseByteCountMax
        rules = DatagramRules(proxies)
        precondition(SocketAddress.byteCountMax <= DatagramBatch.addressStride)
        let count = DatagramBatch.slotCount
        unsafe incoming = .allocate(capacity: count)
        unsafe outgoing = .allocate(capacity: count)
        unsafe incomingParts = .allocate(capacity: count)
        unsafe outgoingParts = .allocate(capacity: count)
        unsafe addresses = .allocate(byteCount: count * DatagramBatch.addressStride, alignment: 16)
        unsafe controls = .allocate(byteCount: count * DatagramBatch.controlStride, alignment: 16)
        unsafe queries = .allocate(capacity: count * DatagramBatch.queryByteCountMax)
        unsafe responses = .allocate(capacity: count * responseByteCountMax)
        unsafe queries.initialize(repeating: 0, count: count * DatagramBatch.queryByteCountMax)
        unsafe responses.initialize(
            repeating: 0, count: count * responseByteCountMax)
        unsafe incoming.initialize(repeating: clinux_mmsghdr(), count: count)
        unsafe outgoing.initialize(repeating: clinux_mmsghdr(), count: count)
        for slot in 0..<count { unsafe prepare(slot) }
    }

    deinit {
        unsafe incoming.deallocate()
        unsafe outgoing.deallocate()
        unsafe incomingParts.deallocate()
        unsafe outgoingParts.deallocate()
        unsafe addresses.deallocate()
        unsafe controls.deallocate()
        unsafe queries.deallocate()
        unsafe responses.deallocate()
    }

    /// What never changes between batches.
    ///
    /// SAFETY: `slot < slotCount`, and every array has that many elements.
    @unsafe private func prepare(_ slot: Int) {
        unsafe (incomingParts + slot).initialize(
            to: iovec(
                iov_base: queries + slot * DatagramBatch.queryByteCountMax,
                iov_len: DatagramBatch.queryByteCountMax))
        unsafe (outgoingParts + slot).initialize(
            to: iovec(
                iov_base: responses + slot * responseByteCountMax, iov_len: 0))
        unsafe incoming[slot].msg_hdr.msg_iov = incomingParts + slot
        unsafe incoming[slot].msg_hdr.msg_iovlen = 1
        unsafe incoming[slot].msg_hdr.msg_name = addresses + slot * DatagramBatch.addressStride
        unsafe incoming[slot].msg_hdr.msg_control = controls + slot * DatagramBatch.controlStride
        unsafe resetLengths(slot)
        unsafe outgoing[slot].msg_hdr.msg_iov = outgoingParts + slot
        unsafe outgoing[slot].msg_hdr.msg_iovlen = 1
    }

    /// Of what the kernel may write.
    ///
    /// SAFETY: `slot < slotCount`, and every array has that many elements.
    @unsafe private func resetLengths(_ slot: Int) {
        unsafe incoming[slot].msg_hdr.msg_namelen = socklen_t(SocketAddress.byteCountMax)
        unsafe incoming[slot].msg_hdr.msg_controllen = DatagramBatch.controlStride
    }

    // MARK: - One batch

    /// Takes what waits at `socket`, at most `slotCount` datagrams; returns how many, or why none.
    mutating func receive(from socket: Int32) -> Outcome {
        // The kernel has overwritten both lengths of those that it has filled.
        for slot in 0..<queryCount { unsafe resetLengths(slot) }
        // SAFETY: `slotCount` headers, each pointing into this batch's own memory.
        let outcome = attempt {
            unsafe Int(clinux_recvmmsg(socket, incoming, UInt32(DatagramBatch.slotCount)))
        }
        queryCount = if case .success(let count) = outcome { count } else { 0 }
        return outcome
    }

    /// Has every query of the batch answered; the replies wait for `send`.
    mutating func answer(with responder: inout Responder) {
        var replyCount = 0
        rules.rejectedHeaderCount = 0
        if responder.readsAhead { readAhead(with: &responder) }
        for slot in 0..<queryCount {
            let count = answer(slot, as: replyCount, with: &responder)
            if count > 0 {
                addReply(replyCount, to: slot, byteCount: count)
                replyCount &+= 1
            }
        }
        self.replyCount = replyCount
    }

    /// Sends the replies and returns how many left.
    ///
    /// sendmmsg(2) stops at the first message that cannot be sent: a firewall's EPERM, a full
    /// queue's ENOBUFS or EAGAIN, an address without route. UDP may lose that one reply; those
    /// behind it must not wait, nor must the next batch. A reply that is longer than the MTU of its
    /// interface, which takes a small one or a large `--udp-size`, goes out in fragments.
    mutating func send(to socket: Int32) -> Int {
        var next = 0
        var sentCount = 0
        var mayFragment = false
        while next < replyCount {
            // SAFETY: next < replyCount <= slotCount; the headers point into this batch.
            switch attempt({
                unsafe Int(clinux_sendmmsg(socket, outgoing + next, UInt32(replyCount - next)))
            }) {
            case .success(let count):
                next += count
                sentCount += count
            case .failure(.messageTooLong) where !mayFragment:
                mayFragment = true
                _ = clinux_allow_fragments(socket)
            case .failure:
                next += 1
            }
        }
        return sentCount
    }

    /// Before a batch is answered. Datagrams of proxies begin with something else: they are
    /// answered as they would be without.
    private func readAhead(with responder: inout Responder) {
        for slot in 0..<queryCount { responder.expect(unsafe datagram(slot).span) }
        responder.readAhead()
    }

    // MARK: - One datagram

    /// SAFETY: `slot < queryCount`; the kernel wrote at most `queryByteCountMax` bytes there, and
    /// does so again when the next batch is received.
    @unsafe @inline(__always)
    private func datagram(_ slot: Int) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(
            start: queries + slot &* DatagramBatch.queryByteCountMax,
            count: Int(incoming[slot].msg_len))
    }

    /// Writes the response to the query in `slot` into a free reply; 0: say nothing.
    @inline(__always)
    private mutating func answer(
        _ slot: Int, as reply: Int, with responder: inout Responder
    ) -> Int {
        let sender = unsafe UnsafeRawPointer(addresses + slot &* DatagramBatch.addressStride)
        // SAFETY: slot < queryCount; an address slot holds a whole sockaddr_in6; the kernel wrote
        // at most queryByteCountMax bytes; reply <= slot, so the response is within its
        // array, which overlaps with no query.
        guard unsafe incoming[slot].msg_hdr.msg_flags & Int32(MSG_TRUNC) == 0,
            // Nobody listens at port 0: an answer would only help somebody who forges senders.
            unsafe SocketAddress.port(at: sender) != 0,
            let peer = unsafe SocketAddress.address(at: sender)
        else { return 0 }
        let datagram = unsafe datagram(slot).span
        var response = unsafe MutableSpan(
            _unsafeStart: responses + reply &* responseByteCountMax,
            count: responseByteCountMax)
        let count = rules.answer(datagram, from: peer, with: &responder, into: &response)
        precondition(count <= responseByteCountMax)
        return count
    }

    /// Addresses the reply just written to the sender of the query in `slot`.
    @inline(__always)
    private mutating func addReply(_ number: Int, to slot: Int, byteCount: Int) {
        // SAFETY: slot < queryCount and number <= slot, both below slotCount.
        let received = unsafe incoming + slot
        let reply = unsafe outgoing + number
        if unsafe received.pointee.msg_hdr.msg_controllen > 0 {
            unsafe clinux_answer_from_destination(&received.pointee.msg_hdr)
        }
        unsafe outgoingParts[number].iov_len = byteCount
        unsafe reply.pointee.msg_hdr.msg_name = received.pointee.msg_hdr.msg_name
        unsafe reply.pointee.msg_hdr.msg_namelen = received.pointee.msg_hdr.msg_namelen
        unsafe reply.pointee.msg_hdr.msg_control = received.pointee.msg_hdr.msg_control
        unsafe reply.pointee.msg_hdr.msg_controllen = received.pointee.msg_hdr.msg_controllen
    }
}
