import CLinux
import Glibc
import Health
import SystemCalls

/// Where one worker waits: sockets are registered with what they are, and events name it.
///
/// Connections, which may be many, and listeners are in an epoll(7). A socket in there calls it
/// with each datagram that arrives and each that has left, also while the worker is busy and looks
/// anyway: a twentieth of what a reply costs. So datagram sockets, which are few, are waited for
/// with poll(2), together with the epoll: that is called only while it sleeps.
///
/// Level-triggered: what is not read or written now is reported again, so that every source can
/// be served a bounded amount at a time.
@safe
struct Poller: ~Copyable {
    /// What an event is about. Connections are numbered by their slot, which may have been
    /// given to another connection between event and use: readers must take an event as a hint.
    enum Source: Equatable {
        case stopSignal
        case datagramSocket(Int)
        case listeningSocket(Int)
        case connection(Int)
    }

    private static let eventCountMax = 128

    /// poll(2) looks at each: where a worker has more datagram sockets, they are in the epoll.
    private static let polledSocketCountMax = 8

    private let epoll: FileDescriptor
    private let events: UnsafeMutablePointer<epoll_event>
    /// The epoll, then the datagram sockets that are not in it.
    private let polled: UnsafeMutableBufferPointer<pollfd>
    private var polledSocketCount: Int

    private init(polling datagramSockets: [FileDescriptor]) throws(Errno) {
        epoll = try FileDescriptor { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        polledSocketCount = datagramSockets.count
        let all = [epoll] + datagramSockets
        unsafe polled = .allocate(capacity: all.count)
        for (index, descriptor) in all.enumerated() {
            unsafe polled.initializeElement(
                at: index, to: pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0))
        }
        unsafe events = .allocate(capacity: Poller.eventCountMax)
        unsafe events.initialize(repeating: epoll_event(), count: Poller.eventCountMax)
    }

    /// A poller for a worker that has no connections yet.
    static func watching(
        _ sockets: WorkerSockets, stopSignal: FileDescriptor
    ) throws(Errno) -> Poller {
        let areFew = sockets.datagram.count <= polledSocketCountMax
        let poller = try Poller(polling: areFew ? sockets.datagram : [])
        // Reported once: nobody reads it, and a worker that waits for its last connections would
        // be woken by it all the time.
        let once = EPOLLIN.rawValue | EPOLLONESHOT.rawValue
        try poller.control(EPOLL_CTL_ADD, stopSignal, .stopSignal, events: once)
        for (index, socket) in sockets.datagram.enumerated() where !areFew {
            try poller.add(socket, as: .datagramSocket(index), reading: true, writing: false)
        }
        for (index, socket) in sockets.listening.enumerated() {
            try poller.add(socket, as: .listeningSocket(index), reading: true, writing: false)
        }
        return poller
    }

    deinit {
        unsafe events.deallocate()
        unsafe polled.deallocate()
    }

    func add(_ descriptor: FileDescriptor, as source: Source, reading: Bool, writing: Bool)
        throws(Errno)
    {
        try control(EPOLL_CTL_ADD, descriptor, source, events: Poller.events(reading, writing))
    }

    /// Changes what is waited for. A closed descriptor has left by itself.
    func change(_ descriptor: FileDescriptor, as source: Source, reading: Bool, writing: Bool) {
        do throws(Errno) {
            try control(
                EPOLL_CTL_MOD, descriptor, source, events: Poller.events(reading, writing))
        } catch {
            preconditionFailure("epoll_ctl on a registered socket: \(error)")
        }
    }

    private func control(
        _ operation: Int32, _ descriptor: FileDescriptor, _ source: Source, events: UInt32
    ) throws(Errno) {
        try require {
            clinux_epoll_control(
                epoll.number, operation, descriptor.number, events, source.token)
        }
    }

    private static func events(_ reading: Bool, _ writing: Bool) -> UInt32 {
        (reading ? EPOLLIN.rawValue : 0) | (writing ? EPOLLOUT.rawValue : 0)
    }

    /// To be called before datagram sockets are closed: nothing else takes them out.
    mutating func forgetDatagramSockets() { polledSocketCount = 0 }

    /// Waits for at most `milliseconds` and returns how many events there are.
    mutating func wait(milliseconds: Int32) -> Int {
        // SAFETY: that many were initialized.
        let readyCount = succeed {
            unsafe Int(poll(polled.baseAddress, nfds_t(1 + polledSocketCount), milliseconds))
        }
        guard readyCount > 0 else { return 0 }
        var count = 0
        for index in 0..<polledSocketCount where unsafe polled[1 + index].revents != 0 {
            // SAFETY: count <= polledSocketCountMax < eventCountMax.
            unsafe events[count].data.u64 = Source.datagramSocket(index).token
            count += 1
        }
        guard unsafe polled[0].revents != 0 else { return count }
        let room = Int32(Poller.eventCountMax - count)
        // SAFETY: there is room for that many events from there on.
        return count + succeed { unsafe Int(epoll_wait(epoll.number, events + count, room, 0)) }
    }

    private func succeed(_ call: () -> Int) -> Int {
        switch attempt(call) {
        case .success(let count): return count
        case .failure(let error): preconditionFailure("a worker cannot wait: \(error)")
        }
    }

    /// The source of event `index`, below the count that `wait` returned.
    func source(_ index: Int) -> Source {
        precondition(index < Poller.eventCountMax)
        // SAFETY: checked above.
        return unsafe Source(token: clinux_epoll_token(events + index))
    }
}

extension Poller.Source {
    /// The kind in the top byte, the index below.
    fileprivate var token: UInt64 {
        switch self {
        case .stopSignal: 0
        case .datagramSocket(let index): 1 << 56 | UInt64(index)
        case .listeningSocket(let index): 2 << 56 | UInt64(index)
        case .connection(let index): 3 << 56 | UInt64(index)
        }
    }

    fileprivate init(token: UInt64) {
        let index = Int(token & (1 << 56 - 1))
        switch token >> 56 {
        case 0: self = .stopSignal
        case 1: self = .datagramSocket(index)
        case 2: self = .listeningSocket(index)
        default: self = .connection(index)
        }
    }
}

extension MonotonicTime {
    /// CLOCK_MONOTONIC, clock_gettime(2). A `ContinuousClock` counts in numbers of 128 bits, which
    /// a worker had to divide for every batch.
    static func now() -> MonotonicTime {
        var time = timespec()
        let status = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        precondition(status == 0, "CLOCK_MONOTONIC exists on every Linux")
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
