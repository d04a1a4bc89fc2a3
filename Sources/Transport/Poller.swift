import CLinux
import Glibc
import Health
import SystemCalls

/// One worker's epoll(7): sockets are registered with what they are, and events name it.
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

    private let epoll: FileDescriptor
    private let events: UnsafeMutablePointer<epoll_event>

    init() throws(Errno) {
        epoll = try FileDescriptor { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        unsafe events = .allocate(capacity: Poller.eventCountMax)
        unsafe events.initialize(repeating: epoll_event(), count: Poller.eventCountMax)
    }

    /// A poller for a worker that has no connections yet.
    static func watching(
        _ sockets: WorkerSockets, stopSignal: FileDescriptor
    ) throws(Errno) -> Poller {
        let poller = try Poller()
        // Reported once: nobody reads it, and a worker that waits for its last connections would
        // be woken by it all the time.
        let once = EPOLLIN.rawValue | EPOLLONESHOT.rawValue
        try poller.control(EPOLL_CTL_ADD, stopSignal, .stopSignal, events: once)
        for (index, socket) in sockets.datagram.enumerated() {
            try poller.add(socket, as: .datagramSocket(index), reading: true, writing: false)
        }
        for (index, socket) in sockets.listening.enumerated() {
            try poller.add(socket, as: .listeningSocket(index), reading: true, writing: false)
        }
        return poller
    }

    deinit { unsafe events.deallocate() }

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

    /// Waits for at most `milliseconds` and returns how many events there are.
    func wait(milliseconds: Int32) -> Int {
        // SAFETY: there is room for eventCountMax events.
        let outcome = attempt {
            unsafe Int(
                epoll_wait(epoll.number, events, Int32(Poller.eventCountMax), milliseconds))
        }
        guard case .success(let count) = outcome else {
            preconditionFailure("epoll_wait: \(outcome)")
        }
        return count
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
