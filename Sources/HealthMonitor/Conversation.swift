import Addressing
import CLinux
import Glibc
import Health
import SystemCalls

/// A tcp, dns or ping probe: one socket, something to send, and a judge of what comes back.
///
/// libcurl does none of the three as we want them: its DNS is a resolver, it knows no ICMP, and
/// after CURLOPT_CONNECT_ONLY the socket is the caller's to wait for anyway.
@safe final class Conversation: Flight {
    private enum Talk {
        /// Over once connected, or once the bytes wanted have come.
        case plain
        case dns(DNSQuestion, identifier: UInt16, isOverTCP: Bool)
        case echo(EchoRequest, hasHeader: Bool)
    }

    let ticket: ProbeTicket
    let probe: Probe
    private let poller: Poller
    private let source: Poller.Source
    private let startTime = MonotonicTime.now()
    private var talk: Talk
    /// Nil once it is over.
    private var socket: FileDescriptor?
    private var isConnected = false
    private var connectTime: Duration?
    private var outgoing: [UInt8] = []
    private var incoming: [UInt8] = []

    /// A peer that goes on talking without saying what is wanted.
    private static let incomingByteCountMax = 64 * 1024

    var isOver: Bool { socket == nil }

    init?(_ probe: Probe, ticket: ProbeTicket, number: UInt64, poller: Poller) {
        self.probe = probe
        self.ticket = ticket
        self.poller = poller
        source = .flight(number)
        switch probe.check.kind {
        case .tcp: talk = .plain
        case .dns(let question):
            talk = .dns(
                question, identifier: .random(in: 0...UInt16.max), isOverTCP: question.isOverTCP)
        case .ping:
            talk = .echo(
                EchoRequest(probe.address.family, token: .random(in: 0...UInt64.max)),
                hasHeader: false)
        default: return nil
        }
    }

    private var elapsed: Duration { .now() - startTime }

    /// Opens the socket and begins. An outcome here is the end already.
    func start() -> Outcome? {
        isConnected = false
        connectTime = nil
        incoming = []
        do throws(Errno) {
            let socket = try open()
            self.socket = socket
            prepareQuestion()
            if let here = probe.check.source, here.family == probe.address.family {
                let bytes = here.bytes
                let bound = attempt {
                    unsafe Int(clinux_bind_to(socket.number, bytes, bytes.count, 0))
                }
                if case .failure = bound {
                    return end(.failed, .connect, Outcome.sourceWords(probe))
                }
            }
            let bytes = probe.address.bytes
            switch attempt({
                unsafe Int(
                    clinux_connect_to(socket.number, bytes, bytes.count, probe.check.port))
            }) {
            case .success: return connected()
            case .failure(let error) where error.code == EINPROGRESS:
                poller.watch(socket.number, as: source, for: .writing)
                return nil
            // All ports of ours are in use with that address.
            case .failure(.addressNotAvailable) where probe.check.source == nil:
                return end(obstacle: "this server is out of local ports")
            case .failure(let error): throw error
            }
        } catch {
            return end(Outcome.failed(error, of: probe, after: elapsed))
        }
    }

    private func open() throws(Errno) -> FileDescriptor {
        let domain = probe.address.family == .ipv4 ? AF_INET : AF_INET6
        switch talk {
        case .plain: return try FileDescriptor { Conversation.open(domain, SOCK_STREAM) }
        case .dns(_, _, let isOverTCP):
            return try FileDescriptor {
                Conversation.open(domain, isOverTCP ? SOCK_STREAM : SOCK_DGRAM)
            }
        case .echo(let request, _):
            let (socket, hasHeader) = try Conversation.openEcho(probe.address.family)
            talk = .echo(request, hasHeader: hasHeader)
            return socket
        }
    }

    private static func open(_ domain: Int32, _ type: __socket_type) -> Int32 {
        clinux_socket_of(domain, Int32(type.rawValue), 0)
    }

    /// A datagram socket where net.ipv4.ping_group_range lets us have one (icmp(7)), else a raw
    /// one, for which CAP_NET_RAW is needed.
    static func openEcho(
        _ family: IPAddress.Family
    ) throws(Errno) -> (socket: FileDescriptor, hasHeader: Bool) {
        let domain = family == .ipv4 ? AF_INET : AF_INET6
        let number = Int32(family == .ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)
        let datagram = clinux_socket_of(domain, Int32(SOCK_DGRAM.rawValue), number)
        if datagram >= 0 { return (FileDescriptor(datagram), false) }
        let raw = try FileDescriptor {
            clinux_socket_of(domain, Int32(SOCK_RAW.rawValue), number)
        }
        return (raw, family == .ipv4)
    }

    private func prepareQuestion() {
        switch talk {
        case .plain: outgoing = probe.check.send
        case .dns(let question, let identifier, let isOverTCP):
            let query = question.query(identifier: identifier)
            // RFC 1035 §4.2.2: over TCP two bytes of length go first.
            let prefix = [UInt8(query.count >> 8), UInt8(truncatingIfNeeded: query.count)]
            outgoing = isOverTCP ? prefix + query : query
        case .echo(let request, _): outgoing = request.bytes
        }
    }

    // MARK: - Events

    func proceed() -> Outcome? {
        guard let socket else { return nil }
        if !isConnected {
            let code = clinux_socket_error(socket.number)
            guard code == 0 else {
                return end(Outcome.failed(Errno(code), of: probe, after: elapsed))
            }
            return connected()
        }
        if let outcome = sendRest() { return outcome }
        return outgoing.isEmpty ? receive() : nil
    }

    private func connected() -> Outcome? {
        isConnected = true
        connectTime = elapsed
        if case .plain = talk, outgoing.isEmpty, probe.check.receive.isEmpty {
            return end(.passed, .connect, "connected")
        }
        return sendRest()
    }

    private func sendRest() -> Outcome? {
        guard let socket else { return nil }
        while !outgoing.isEmpty {
            let bytes = outgoing
            switch attempt({
                unsafe send(socket.number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            }) {
            case .success(let count): outgoing.removeFirst(count)
            case .failure(.again):
                poller.watch(socket.number, as: source, for: .writing)
                return nil
            case .failure(let error): return broken(error)
            }
        }
        if case .plain = talk, probe.check.receive.isEmpty {
            return end(.passed, .response, "connected, sent")
        }
        poller.watch(socket.number, as: source, for: .reading)
        return nil
    }

    private func receive() -> Outcome? {
        guard let socket else { return nil }
        // Level-triggered: what is left comes in the next round.
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        let room = buffer.count
        switch attempt({ unsafe recv(socket.number, &buffer, room, 0) }) {
        case .success(let count): return take(Array(buffer.prefix(count)))
        case .failure(.again): return nil
        case .failure(let error): return broken(error)
        }
    }

    private func take(_ bytes: [UInt8]) -> Outcome? {
        switch talk {
        case .echo(let request, let hasHeader):
            return request.isAnswered(by: bytes, hasHeader: hasHeader)
                ? end(.passed, .response, "echo reply") : nil
        case .dns(let question, let identifier, false):
            return judge(question.judge(bytes, identifier: identifier), question, identifier)
        case .dns(let question, let identifier, true):
            incoming += bytes
            if let message = firstMessage {
                return judge(question.judge(message, identifier: identifier), question, identifier)
            }
        case .plain:
            incoming += bytes
            if incoming.contains(sequence: probe.check.receive) {
                return end(.passed, .content, "connected, answer as expected")
            }
        }
        if bytes.isEmpty {
            return end(
                .failed, .response,
                incoming.isEmpty
                    ? "connection closed without an answer"
                    : "connection closed, and the answer is not as expected")
        }
        if incoming.count > Conversation.incomingByteCountMax {
            return end(.failed, .content, "nothing expected within the first 64 KiB")
        }
        return nil
    }

    /// The message at the front of the stream, once it is whole.
    private var firstMessage: [UInt8]? {
        guard incoming.count >= 2 else { return nil }
        let end = 2 + (Int(incoming[0]) << 8 | Int(incoming[1]))
        return incoming.count >= end ? Array(incoming[2..<end]) : nil
    }

    private func judge(
        _ judgement: DNSQuestion.Judgement, _ question: DNSQuestion, _ identifier: UInt16
    ) -> Outcome? {
        guard case .dns(_, _, let isOverTCP) = talk else { return nil }
        switch judgement {
        case .passed(let words): return end(.passed, .content, words)
        case .failed(let words): return end(.failed, .content, words)
        case .stranger:
            return isOverTCP ? end(.failed, .content, "answers another question") : nil
        case .truncated:
            guard !isOverTCP else { return end(.failed, .content, "truncated over TCP") }
            talk = .dns(question, identifier: identifier, isOverTCP: true)
            return start()
        }
    }

    // MARK: - Ends

    func expire() -> Outcome {
        let within = "within \(probe.check.timeout.inWords)"
        if !isConnected {
            return end(.failed, .connect, "no connection \(within)", isSilence: true)
        }
        return end(
            .failed, .response,
            incoming.isEmpty ? "no answer \(within)" : "answer is not as expected \(within)",
            isSilence: true)
    }

    func abandon() { socket = nil }

    /// A connection that stood. Over UDP a closed port is known by this (ip(7), RFC 1122
    /// §4.1.3.3).
    private func broken(_ error: Errno) -> Outcome {
        if let words = Outcome.obstacleWords(error.code) { return end(obstacle: words) }
        let isRefused = error == .connectionRefused
        return end(
            .failed, .response,
            isRefused
                ? "port unreachable" : "connection broken: \(Outcome.connectWords(error.code))",
            isSilence: Outcome.isSilence(error.code))
    }

    private func end(
        _ verdict: ProbeResult.Verdict, _ phase: ProbeResult.Phase, _ reason: String,
        isSilence: Bool = false
    ) -> Outcome {
        var result = ProbeResult(verdict, in: phase, because: reason, after: elapsed)
        if !incoming.isEmpty { result.byteCount = incoming.count }
        result.isSilence = isSilence && incoming.isEmpty
        result.moments.connected = connectTime
        return end(.result(result))
    }

    private func end(obstacle: String) -> Outcome { end(.obstacle(obstacle)) }

    private func end(_ outcome: Outcome) -> Outcome {
        socket = nil
        return outcome
    }
}
