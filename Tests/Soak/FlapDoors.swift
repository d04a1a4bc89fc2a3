import Foundation
import Health
import Synchronization
import TestSupport

/// A change of one front door.
struct DoorChange: Sendable {
    var region: Int
    var behaviour: Behaviour
    /// When it began, and when it was done.
    var began: MonotonicTime
    var ended: MonotonicTime
}

/// All front doors: real sockets on loopback, one thread, one poll(2) loop. Each changes by its own
/// schedule.
final class FlapDoors: Sendable {
    private struct News {
        var changes: [DoorChange] = []
        /// All that changed before then has been told.
        var until: MonotonicTime
    }

    private let news: Mutex<News>
    private let isStopped = Atomic(false)
    private let isStarted = Atomic(false)
    let begin: MonotonicTime

    init() {
        begin = .thisMoment
        news = Mutex(News(until: begin))
    }

    /// Opens all doors, and returns what is to run on a thread of its own.
    func open(_ zone: FlapZone, seed: UInt64) throws -> @Sendable () -> Void {
        let ends = try (0..<zone.regionCount).map { region in
            try DoorSocket.listener(FlapZone.address(of: region), zone.port)
        }
        return { [self] in
            var loop = DoorLoop(zone, seed: seed, listeners: ends)
            var isFlapping = false
            while !isStopped.load(ordering: .relaxed) {
                if !isFlapping, isStarted.load(ordering: .relaxed) {
                    isFlapping = true
                    loop.start()
                }
                let now = MonotonicTime.thisMoment
                let changes = loop.change(at: now)
                news.withLock { news in
                    news.changes += changes
                    news.until = now
                }
                loop.serve()
            }
            loop.closeAll()
        }
    }

    /// From now on they change.
    func start() { isStarted.store(true, ordering: .relaxed) }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// What has changed since this was last asked, and until when that is all.
    func takeChanges() -> (changes: [DoorChange], until: MonotonicTime) {
        news.withLock { news in
            defer { news.changes = [] }
            return (news.changes, news.until)
        }
    }
}

/// The sockets behind the doors.
enum DoorSocket {
    static func listener(_ address: String, _ port: UInt16) throws -> Int32 {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        let isBound = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound, listen(socket, 128) == 0 else {
            let code = errno
            close(socket)
            throw TestServer.NotReady(
                description: "\(address):\(port): \(String(cString: strerror(code)))")
        }
        return socket
    }
}

private struct DoorLoop {
    private struct Door {
        /// -1: nobody listens.
        var listener: Int32
        var schedule: FlapSchedule
        var nextChange: MonotonicTime?
    }

    private struct Connection {
        var descriptor: Int32
        var region: Int
        var input: [UInt8] = []
        /// Nothing more is said, or a byte now and then.
        var isHanging = false
        var nextDrip: MonotonicTime?
    }

    private let zone: FlapZone
    private var doors: [Door]
    private var connections: [Connection] = []
    private var buffer = [UInt8](repeating: 0, count: 4096)

    private static let dripGap = Duration.milliseconds(100)
    private static let turn = Duration.milliseconds(5)

    init(_ zone: FlapZone, seed: UInt64, listeners: [Int32]) {
        self.zone = zone
        doors = listeners.enumerated().map { region, listener in
            Door(
                listener: listener,
                schedule: FlapSchedule(seed: seed, region: region, check: zone.check(of: region)))
        }
    }

    mutating func start() {
        let now = MonotonicTime.thisMoment
        for region in doors.indices {
            doors[region].nextChange = now + doors[region].schedule.duration()
        }
    }

    mutating func closeAll() {
        for door in doors where door.listener >= 0 { close(door.listener) }
        for connection in connections { close(connection.descriptor) }
    }

    // MARK: - Changes

    mutating func change(at now: MonotonicTime) -> [DoorChange] {
        var changes: [DoorChange] = []
        for region in doors.indices {
            guard let time = doors[region].nextChange, time <= now else { continue }
            let before = doors[region].schedule.behaviour
            let began = MonotonicTime.thisMoment
            let behaviour = doors[region].schedule.next()
            if behaviour == .refuses {
                if before != .refuses { close(doors[region].listener) }
                doors[region].listener = -1
            } else if before == .refuses {
                guard
                    let listener = try? DoorSocket.listener(
                        FlapZone.address(of: region), zone.port)
                else {
                    fatalError("front door \(region) cannot listen again: errno \(errno)")
                }
                doors[region].listener = listener
            }
            let ended = MonotonicTime.thisMoment
            changes.append(
                DoorChange(region: region, behaviour: behaviour, began: began, ended: ended))
            doors[region].nextChange = ended + doors[region].schedule.duration()
        }
        return changes
    }

    // MARK: - Service

    /// One round.
    mutating func serve() {
        var waits = doors.map { pollfd(fd: $0.listener, events: Int16(POLLIN), revents: 0) }
        waits += connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        let count = poll(&waits, nfds_t(waits.count), Int32(DoorLoop.turn.milliseconds))
        let now = MonotonicTime.thisMoment
        let isDripDue = connections.contains { $0.nextDrip.map { $0 <= now } ?? false }
        guard count > 0 || isDripDue else { return }
        for index in connections.indices.reversed() {
            let isReady = waits[doors.count + index].revents != 0
            if !(isReady ? read(index) : drip(index, at: now)) {
                close(connections[index].descriptor)
                connections.swapAt(index, connections.count - 1)
                connections.removeLast()
            }
        }
        for region in doors.indices where waits[region].revents != 0 {
            while case let next = accept(doors[region].listener, nil, nil), next >= 0 {
                _ = fcntl(next, F_SETFL, O_NONBLOCK)
                _ = fcntl(next, F_SETFD, FD_CLOEXEC)
                connections.append(Connection(descriptor: next, region: region))
                // The request is mostly there already.
                let last = connections.count - 1
                if !read(last) {
                    close(next)
                    connections.removeLast()
                }
            }
        }
    }

    /// False when the connection is over.
    private mutating func read(_ index: Int) -> Bool {
        let count = recv(connections[index].descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return count < 0 && errno == EAGAIN }
        guard !connections[index].isHanging else { return true }
        connections[index].input += buffer[..<count]
        guard connections[index].input.suffix(4) == [13, 10, 13, 10] else {
            return connections[index].input.count < buffer.count
        }
        switch doors[connections[index].region].schedule.behaviour {
        case .answers: return answer(index, "200 OK")
        case .fails: return answer(index, "500 Internal Server Error")
        case .refuses, .closes: return false
        case .hangs: connections[index].isHanging = true
        case .drips:
            connections[index].isHanging = true
            connections[index].nextDrip = .thisMoment
            return send("HTTP/1.1 5", index)
        }
        return true
    }

    private func answer(_ index: Int, _ status: String) -> Bool {
        _ = send(
            "HTTP/1.1 \(status)\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n", index)
        return false
    }

    private mutating func drip(_ index: Int, at now: MonotonicTime) -> Bool {
        guard let time = connections[index].nextDrip, time <= now else { return true }
        connections[index].nextDrip = now + DoorLoop.dripGap
        return send("0", index)
    }

    private func send(_ text: String, _ index: Int) -> Bool {
        let bytes = Array(text.utf8)
        return Foundation.send(
            connections[index].descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }
}
