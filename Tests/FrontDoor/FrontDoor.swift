import Glibc

/// The server: one thread, one poll(2) loop.
struct FrontDoor {
    let name: String
    var mode: Mode
    private var connections: [Connection] = []

    /// More wait in the kernel's queue until one of these ends.
    private static let connectionCountMax = 900
    private static let slowByteMilliseconds: Int32 = 200

    init(name: String, mode: Mode) {
        self.name = name
        self.mode = mode
    }

    /// Returns at SIGTERM or SIGINT. SIGUSR1 toggles between ok and 500.
    mutating func serve(_ listener: Listener, until signals: SignalPipe) {
        while true {
            let ready = wait(listener, signals)
            for number in signals.take() {
                guard number == SIGUSR1 else { return }
                mode = mode == .failing ? .ok : .failing
            }
            for (connection, events) in zip(connections, ready) {
                if events & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
                    connection.receive(name: name, mode: mode)
                }
            }
            for connection in connections { connection.flush() }
            connections.removeAll { $0.isFinished }
            accept(from: listener)
        }
    }

    /// What happened on each connection, in order.
    private func wait(_ listener: Listener, _ signals: SignalPipe) -> [Int16] {
        let isFull = connections.count >= FrontDoor.connectionCountMax
        var entries = connections.map {
            pollfd(fd: $0.descriptor.number, events: $0.awaitedEvents, revents: 0)
        }
        entries.append(pollfd(fd: signals.reader.number, events: Int16(POLLIN), revents: 0))
        // A negative descriptor is passed over (poll(2)).
        entries.append(
            pollfd(
                fd: isFull ? -1 : listener.descriptor.number, events: Int16(POLLIN), revents: 0))
        let isDribbling = connections.contains { $0.isDribbling }
        let patience = isDribbling ? FrontDoor.slowByteMilliseconds : -1
        guard unsafe poll(&entries, nfds_t(entries.count), patience) >= 0 else {
            return connections.map { _ in 0 }
        }
        return entries.prefix(connections.count).map(\.revents)
    }

    private mutating func accept(from listener: Listener) {
        while connections.count < FrontDoor.connectionCountMax, let next = listener.accept() {
            // Dropping the descriptor closes the connection.
            if mode != .close { connections.append(Connection(next)) }
        }
    }
}

/// One client: requests in, responses out, in order.
final class Connection {
    let descriptor: Descriptor
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private var isClosing = false
    private(set) var isDribbling = false
    private(set) var isFinished = false

    private static let headByteCountMax = 16 * 1024

    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    var awaitedEvents: Int16 { Int16(output.isEmpty || isDribbling ? POLLIN : POLLIN | POLLOUT) }

    func receive(name: String, mode: Mode) {
        switch descriptor.read() {
        case .notNow: return
        case .end: isFinished = true
        case .bytes(let bytes): input += bytes
        }
        while !isClosing, let head = takeHead() { answer(head, name: name, mode: mode) }
        if input.count > Connection.headByteCountMax { isFinished = true }
    }

    func flush() {
        if isDribbling { output.append(UInt8(ascii: "x")) }
        if !output.isEmpty {
            guard let count = descriptor.send(output) else {
                isFinished = true
                return
            }
            output.removeFirst(count)
        }
        if output.isEmpty && isClosing { isFinished = true }
    }

    /// Takes one request head off the input; nil while there is no whole one.
    private func takeHead() -> String? {
        let end = Array("\r\n\r\n".utf8)
        guard input.count >= end.count else { return nil }
        for start in 0...(input.count - end.count)
        where input[start..<start + end.count].elementsEqual(end) {
            let head = String(decoding: input[..<start], as: UTF8.self)
            input.removeFirst(start + end.count)
            return head
        }
        return nil
    }

    private func answer(_ head: String, name: String, mode: Mode) {
        switch mode {
        case .hang: return
        case .slowHeaders:
            output += Array("HTTP/1.1 200 OK\r\nX-Slow: ".utf8)
            isDribbling = true
        case .close: isClosing = true
        case .ok: respond(to: head, status: "200 OK", body: "\(name)\n")
        case .failing: respond(to: head, status: "500 Internal Server Error", body: "failing\n")
        }
    }

    private func respond(to head: String, status: String, body: String) {
        let lines = head.split(separator: "\r\n")
        let method = lines.first?.split(separator: " ").first ?? ""
        guard method == "GET" || method == "HEAD" else {
            isClosing = true
            send(status: "405 Method Not Allowed", body: "only GET and HEAD\n", withBody: true)
            return
        }
        if lines.contains(where: { $0.lowercased() == "connection: close" }) { isClosing = true }
        send(status: status, body: body, withBody: method == "GET")
    }

    private func send(status: String, body: String, withBody: Bool) {
        let fields = [
            "HTTP/1.1 \(status)", "Content-Type: text/plain", "Content-Length: \(body.utf8.count)",
            "Connection: \(isClosing ? "close" : "keep-alive")",
        ]
        output += Array("\(fields.joined(separator: "\r\n"))\r\n\r\n\(withBody ? body : "")".utf8)
    }
}
