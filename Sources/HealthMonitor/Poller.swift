import CLinux
import Glibc
import SystemCalls

/// The one place where the monitor's thread waits: an epoll(7) over libcurl's sockets, our own
/// probes, and a wake-up call. What is ready is told, however many are not.
///
/// Level-triggered. `wakeUp` may be called from any thread, the rest belongs to the monitor's.
// SAFETY: descriptors never change; the events belong to the monitor's thread alone.
@safe final class Poller: @unchecked Sendable {
    /// What an event is about. Its owner may be gone by the time it is looked at.
    enum Source: Equatable {
        case wakeUp
        /// A descriptor that libcurl asked to watch.
        case transfer(Int32)
        /// One of our own probes, by the number it was given.
        case flight(UInt64)
    }

    struct Readiness: OptionSet {
        let rawValue: UInt32
        static let reading = Readiness(rawValue: EPOLLIN.rawValue)
        static let writing = Readiness(rawValue: EPOLLOUT.rawValue)
        static let trouble = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
    }

    private static let eventCountMax = 256

    private let epoll: FileDescriptor
    private let bell: FileDescriptor
    private let events: UnsafeMutablePointer<epoll_event>

    init() {
        do throws(Errno) {
            epoll = FileDescriptor(try require { epoll_create1(Int32(EPOLL_CLOEXEC)) })
            bell = FileDescriptor(
                try require { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
        } catch {
            fatalError("health checks cannot wait for anything: \(error)")
        }
        unsafe events = .allocate(capacity: Poller.eventCountMax)
        unsafe events.initialize(repeating: epoll_event(), count: Poller.eventCountMax)
        watch(bell.number, as: .wakeUp, for: .reading)
    }

    deinit { unsafe events.deallocate() }

    /// Begins to wait for a descriptor, or changes what for. A closed one has left by itself.
    func watch(_ descriptor: Int32, as source: Source, for readiness: Readiness) {
        // libcurl does not say whether it closed the socket that had this number before. Who waits
        // to write mostly has a new one, that is to be connected.
        let isNew = readiness == .writing
        let first = isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        guard !control(first, descriptor, readiness, source) else { return }
        _ = control(isNew ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, readiness, source)
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, _ readiness: Readiness, _ source: Source
    ) -> Bool {
        clinux_epoll_control(
            epoll.number, operation, descriptor, readiness.rawValue, source.token) == 0
    }

    func forget(_ descriptor: Int32) {
        _ = clinux_epoll_control(epoll.number, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    func wakeUp() { _ = eventfd_write(bell.number, 1) }

    /// Waits at most so long, and hands over what is ready.
    func wait(
        atMostMilliseconds milliseconds: Int32, _ ready: (Source, Readiness) -> Void
    ) {
        // SAFETY: there is room for eventCountMax events.
        let outcome = attempt {
            unsafe Int(epoll_wait(epoll.number, events, Int32(Poller.eventCountMax), milliseconds))
        }
        guard case .success(let count) = outcome else {
            preconditionFailure("epoll_wait: \(outcome)")
        }
        for index in 0..<count {
            // SAFETY: the kernel has written `count` events.
            let source = unsafe Source(token: clinux_epoll_token(events + index))
            if source == .wakeUp {
                var value: eventfd_t = 0
                _ = unsafe eventfd_read(bell.number, &value)
            } else {
                ready(source, unsafe Readiness(rawValue: events[index].events))
            }
        }
    }
}

extension Poller.Source {
    /// The kind in the top byte, the number below.
    fileprivate var token: UInt64 {
        switch self {
        case .wakeUp: 0
        case .transfer(let descriptor): 1 << 56 | UInt64(descriptor)
        case .flight(let number): 2 << 56 | number
        }
    }

    fileprivate init(token: UInt64) {
        let number = token & (1 << 56 - 1)
        switch token >> 56 {
        case 0: self = .wakeUp
        case 1: self = .transfer(Int32(number))
        default: self = .flight(number)
        }
    }
}
