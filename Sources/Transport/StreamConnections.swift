import Addressing
import CLinux
import Glibc
import Responder
import SystemCalls

/// The TCP connections of one worker: sockets around `StreamConnection`s.
struct StreamConnections: ~Copyable {
    typealias Instant = ContinuousClock.Instant

    private struct Slot {
        let descriptor: FileDescriptor
        var connection: StreamConnection
        /// What the poller waits for.
        var isReading = true
        var isWriting = false
    }

    /// Connections taken from one listener before something else gets its turn.
    private static let acceptCountMax = 32

    private let limits: TransportLimits
    private let proxies: ProxySources
    private let counters: WorkerCounters
    private var slots: [Slot?]
    private var freeSlots: [Int]
    private var roster: ConnectionRoster
    /// Bytes just read, and the response just written; both are copied where they belong.
    private var readScratch: [UInt8]
    private var responseScratch: [UInt8]

    init(limits: TransportLimits, proxies: ProxySources, counters: WorkerCounters) {
        precondition(limits.connectionCountMax >= 1 && limits.connectionCountPerPrefixMax >= 1)
        self.limits = limits
        self.proxies = proxies
        self.counters = counters
        slots = Array(repeating: nil, count: limits.connectionCountMax)
        freeSlots = (0..<limits.connectionCountMax).reversed()
        roster = ConnectionRoster(connectionCountMax: limits.connectionCountMax)
        readScratch = Array(repeating: 0, count: StreamConnection.readByteCountMax)
        responseScratch = Array(repeating: 0, count: 65_535)
    }

    var isEmpty: Bool { freeSlots.count == slots.count }

    // MARK: - Opening

    enum Accepted: Equatable {
        /// Some were taken; more may wait.
        case some
        /// Nobody waits.
        case none
        /// No descriptor or memory is left, and there was no connection to close for it.
        case exhausted
    }

    /// Takes connections that wait at `listener`, a bounded number. At a limit the connection
    /// idle longest makes room: RFC 7766 §6.2.3 lets a server close idle connections early. At the
    /// limit of a prefix it is one of that prefix, at that of the worker one of the prefix
    /// that has most (`ConnectionRoster`).
    mutating func accept(
        from listener: FileDescriptor, poller: borrowing Poller, at now: Instant
    ) -> Accepted {
        for _ in 0..<StreamConnections.acceptCountMax {
            var peer = SocketAddress()
            // SAFETY: the pointers are used during the call only.
            let outcome = attempt {
                unsafe Int(peer.withRoom { unsafe clinux_accept(listener.number, $0, $1) })
            }
            switch outcome {
            case .success(let number):
                let descriptor = FileDescriptor(Int32(number))
                guard let address = peer.listenAddress?.address else { continue }
                open(descriptor, from: address, poller: poller, at: now)
            case .failure(.again):
                return .none
            case .failure(.tooManyFiles), .failure(.tooManyFilesInSystem), .failure(.noMemory),
                .failure(.noBufferSpace):
                guard let index = roster.firstToGo else { return .exhausted }
                close(index, for: .limit)
            case .failure:
                continue  // The client has left already (accept(2), "Error handling").
            }
        }
        return .some
    }

    private mutating func open(
        _ descriptor: FileDescriptor, from peer: IPAddress, poller: borrowing Poller,
        at now: Instant
    ) {
        let prefix = ConnectionRoster.prefix(of: peer)
        let isProxied = proxies.contains(peer)
        // A proxy has as many connections as its clients want; those are counted by the client
        // as soon as that is known.
        if !isProxied { makeRoom(in: prefix) }
        if freeSlots.isEmpty, let other = roster.firstToGo { close(other, for: .limit) }
        guard let index = freeSlots.last else { return }
        do throws(Errno) {
            try poller.add(descriptor, as: .connection(index), reading: true, writing: false)
        } catch {
            return  // No memory for one more: the client sees its connection closed.
        }
        freeSlots.removeLast()
        slots[index] = Slot(
            descriptor: descriptor,
            connection: StreamConnection(
                from: peer, isProxied: isProxied, openedAt: now, idleTimeout: limits.idleTimeout,
                transferTimeout: limits.transferTimeout))
        roster.add(index, of: prefix)
        counters.connectionsOpened.advance()
    }

    private mutating func makeRoom(in prefix: Prefix) {
        guard roster.count(of: prefix) >= limits.connectionCountPerPrefixMax,
            let other = roster.idleLongest(of: prefix)
        else { return }
        close(other, for: .limit)
    }

    /// A proxy has told whom connection `index` is for.
    private mutating func count(_ index: Int, for client: IPAddress) {
        let prefix = ConnectionRoster.prefix(of: client)
        roster.remove(index)
        makeRoom(in: prefix)
        roster.add(index, of: prefix)
    }

    // MARK: - Serving

    /// The socket of slot `index` can be read or written, or so it seemed.
    mutating func serve(
        _ index: Int, with responder: inout Responder, poller: borrowing Poller, at now: Instant
    ) {
        guard let before = slots[index]?.connection.action else { return }
        // Writing first: it makes room for what is read.
        if case .wait(_, writing: true) = before {
            pursue(before, index, with: &responder, poller: poller, at: now)
        }
        if case .wait(reading: true, _) = slots[index]?.connection.action {
            _ = read(index, with: &responder, poller: poller, at: now)
        }
    }

    /// Reads once, answers and writes. True when there may be more to read.
    private mutating func read(
        _ index: Int, with responder: inout Responder, poller: borrowing Poller, at now: Instant
    ) -> Bool {
        guard let descriptor = slots[index]?.descriptor,
            let room = slots[index]?.connection.inputRoom
        else { return false }
        // SAFETY: `room` is at most the scratch's size, readByteCountMax.
        let outcome = unsafe readScratch.withUnsafeMutableBytes { scratch in
            attempt { unsafe recv(descriptor.number, scratch.baseAddress, room, 0) }
        }
        var action: StreamConnection.Action?
        switch outcome {
        case .success(0):
            action = slots[index]?.connection.receivedEnd()
        case .success(let count):
            let before = slots[index]?.connection.client
            action = slots[index]?.connection.received(readScratch[..<count], at: now)
            if let client = slots[index]?.connection.client, client != before {
                self.count(index, for: client)
            }
        case .failure(.again):
            return false
        case .failure:
            close(index, for: .leaving)
        }
        guard let action else { return false }
        pursue(action, index, with: &responder, poller: poller, at: now)
        return slots[index] != nil
    }

    /// Does what the connection asks for until it waits or is closed. Bounded: nothing is read
    /// here, so the queries to answer are those of one read, and of what waited for room.
    private mutating func pursue(
        _ first: StreamConnection.Action, _ index: Int, with responder: inout Responder,
        poller: borrowing Poller, at now: Instant
    ) {
        let activityBefore = slots[index]?.connection.lastActivity
        defer {
            if slots[index]?.connection.lastActivity != activityBefore { roster.touch(index) }
        }
        var next: StreamConnection.Action? = first
        while let action = next {
            switch action {
            case .answer:
                next = answer(index, with: &responder, at: now)
            case .wait(_, writing: true):
                next = write(index, at: now)
                if next == nil { wait(index, for: action, poller: poller) }
            case .wait:
                wait(index, for: action, poller: poller)
                next = nil
            case .close(let reason):
                close(index, for: Ending(reason))
                next = nil
            }
        }
    }

    private mutating func answer(
        _ index: Int, with responder: inout Responder, at now: Instant
    ) -> StreamConnection.Action? {
        guard let client = slots[index]?.connection.client else { return nil }
        counters.streamQueries.advance()
        var isAnswered = false
        let action = slots[index]?.connection.answer(at: now, using: &responseScratch) {
            query, response in
            let count = responder.respond(to: query, from: client, over: .stream, into: &response)
            isAnswered = count > 0
            return count
        }
        if isAnswered { counters.streamResponses.advance() }
        return action
    }

    /// Writes once; nil when the socket takes nothing now, or the connection is gone.
    private mutating func write(_ index: Int, at now: Instant) -> StreamConnection.Action? {
        guard let descriptor = slots[index]?.descriptor else { return nil }
        // SAFETY: the pointer is used during the call only. MSG_NOSIGNAL: a client that has left
        // is no reason to end this process.
        let outcome: Outcome? = unsafe slots[index]?.connection.output.withUnsafeBytes { bytes in
            attempt {
                unsafe send(
                    descriptor.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
        }
        switch outcome {
        case nil:
            return nil
        case .success(let count):
            return slots[index]?.connection.wrote(count, at: now)
        case .failure(.again):
            return nil
        case .failure:
            close(index, for: .leaving)
            return nil
        }
    }

    private mutating func wait(
        _ index: Int, for action: StreamConnection.Action, poller: borrowing Poller
    ) {
        guard case .wait(let reading, let writing) = action, let slot = slots[index],
            reading != slot.isReading || writing != slot.isWriting
        else { return }
        poller.change(
            slot.descriptor, as: .connection(index), reading: reading, writing: writing)
        slots[index]?.isReading = reading
        slots[index]?.isWriting = writing
    }

    // MARK: - Closing

    /// Closes connections whose time has passed.
    mutating func tick(at now: Instant) {
        guard !isEmpty else { return }
        for index in slots.indices {
            if case .close(let reason) = slots[index]?.connection.ticked(at: now) {
                close(index, for: Ending(reason))
            }
        }
    }

    /// The server stops: what has arrived is answered, nothing more is read. What arrives
    /// meanwhile may be read too, but no more than a receive buffer holds: a client that keeps on
    /// sending must not keep the server.
    mutating func stop(
        with responder: inout Responder, poller: borrowing Poller, at now: Instant
    ) {
        let readCountMax = Listeners.streamBufferByteCount * 2 / StreamConnection.readByteCountMax
        for index in slots.indices where slots[index] != nil {
            for _ in 0..<readCountMax {
                guard case .wait(reading: true, _) = slots[index]?.connection.action,
                    read(index, with: &responder, poller: poller, at: now)
                else { break }
            }
            guard let action = slots[index]?.connection.stopped() else { continue }
            pursue(action, index, with: &responder, poller: poller, at: now)
        }
    }

    /// Why a connection is closed, as far as counters and the kernel are concerned.
    private enum Ending {
        /// The client has left, or has everything it asked for.
        case leaving
        case idle
        case slow
        case badProxyHeader
        /// Another one needs its place.
        case limit

        init(_ reason: StreamConnection.CloseReason) {
            switch reason {
            case .finished: self = .leaving
            case .idle: self = .idle
            case .slow: self = .slow
            case .badProxyHeader: self = .badProxyHeader
            }
        }
    }

    private mutating func close(_ index: Int, for ending: Ending) {
        guard let descriptor = slots[index]?.descriptor else { return }
        switch ending {
        case .leaving: break
        case .badProxyHeader: counters.proxyHeadersRejected.advance()
        case .idle: clinux_forget_unsent(descriptor.number)
        case .slow:
            counters.connectionsSlow.advance()
            clinux_forget_unsent(descriptor.number)
        case .limit:
            counters.connectionsLimited.advance()
            clinux_forget_unsent(descriptor.number)
        }
        slots[index] = nil
        roster.remove(index)
        freeSlots.append(index)
        counters.connectionsClosed.advance()
    }
}
