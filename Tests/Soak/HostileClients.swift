import DNSWire
import Foundation
import TestSupport

/// Sends packets that no resolver sends. Each burst ends in a good query, which the same socket of
/// the server receives behind them: when that has been answered, the next burst may come, and what
/// waits in the server's buffers stays bounded.
func sendHostileDatagrams(_ port: UInt16, client number: Int, _ tally: Tally) {
    let burstSize = 24
    var mutator = PacketMutator(seed: UInt64(number) + 2000)
    let marker = SoakZone.questions[0]
    while tally.isRunning {
        let source = "127.2.\(mutator.roll(250)).\(number + 1)"
        let client = DNSClient(port: port, source: source)
        guard let socket = try? QuerySocket(client, seconds: 5),
            let cookie = learnCookie(client, marker)
        else {
            tally.violation("a hostile client has no socket or cookie: errno \(errno)")
            return
        }
        for _ in 0..<2000 where tally.isRunning {
            for _ in 0..<burstSize { try? socket.send(mutator.packet()) }
            tally.hostileDatagrams.advance(by: burstSize)
            try? socket.send(marker.message(identifier: 0xfffe, cookie: cookie))
            var isAnswered = false
            while !isAnswered, let response = socket.receiveMessage() {
                isAnswered =
                    identifier(response) == 0xfffe
                    && marker.fault(of: response, overStream: false) == nil
            }
            if isAnswered {
                tally.datagramAnswers.advance()
            } else {
                tally.datagramLosses.advance()
                say("unanswered over UDP after 5 s: the query behind a burst")
                break
            }
        }
    }
}

/// A server cookie, with the client's before it: a query with it is not limited. It is asked for
/// over TCP, where no query is.
private func learnCookie(_ client: DNSClient, _ question: Question) -> [UInt8]? {
    let own: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    let socket = try? QuerySocket(client, isStream: true, seconds: 5)
    try? socket?.send(question.message(identifier: 0, cookie: own))
    return socket?.receiveMessage().flatMap { serverCookie(in: $0, for: own) }
}

/// Connections that send garbage, cut frames short, never read, or end in the middle; some are kept
/// open for a while.
func sendHostileStreams(_ port: UInt16, client number: Int, _ tally: Tally) {
    let keptMax = 100
    var mutator = PacketMutator(seed: UInt64(number) + 3000)
    var kept: [QuerySocket] = []
    while tally.isRunning {
        let client = DNSClient(port: port, source: "127.3.\(number).\(mutator.roll(250) + 1)")
        guard let socket = try? QuerySocket(client, isStream: true, seconds: 0.2) else { continue }
        tally.hostileConnections.advance()
        // The server may have closed it already: that is its right.
        switch mutator.roll(8) {
        case 0: try? socket.sendRaw((0..<mutator.roll(3000)).map { _ in UInt8(mutator.roll(256)) })
        case 1: try? socket.sendRaw([0, 0])
        case 2: try? socket.sendRaw([0xff, 0xff, 1, 2, 3])
        case 3:  // Much is asked, and nothing read.
            let huge = Message.query(DomainName("huge.\(SoakZone.origin)") ?? .root, .txt)
            for _ in 0..<40 { try? socket.send(huge) }
        case 4:
            for _ in 0..<100 { try? socket.send(mutator.packet()) }
        case 5:
            try? socket.send(mutator.goodQuery())
            socket.finish()
            _ = socket.receiveMessage()
        case 6: try? socket.sendRaw(Array(mutator.goodQuery().prefix(1 + mutator.roll(20))))
        default: break
        }
        if mutator.roll(2) == 0 { socket.closeByReset() }
        if mutator.roll(3) == 0 { kept.append(socket) }
        if kept.count > keptMax { kept.remove(at: mutator.roll(kept.count)) }
    }
}

/// Connections that send a byte of a query now and then.
func sendSlowly(_ port: UInt16, _ tally: Tally) {
    var mutator = PacketMutator(seed: 4000)
    let query = SoakZone.questions[0].message(identifier: 1, cookie: [1, 2, 3, 4, 5, 6, 7, 8])
    let bytes = [0, UInt8(query.count)] + query
    var open: [(socket: QuerySocket, sent: Int)] = []
    while tally.isRunning {
        while open.count < 60 {
            let client = DNSClient(port: port, source: "127.4.0.\(mutator.roll(250) + 1)")
            guard let socket = try? QuerySocket(client, isStream: true, seconds: 0.2) else { break }
            tally.hostileConnections.advance()
            open.append((socket, mutator.roll(40)))
        }
        for index in open.indices.reversed() {
            let next = open[index].sent % bytes.count
            do {
                try open[index].socket.sendRaw([bytes[next]])
                open[index].sent += 1
            } catch {
                open.remove(at: index)
            }
        }
        Thread.sleep(forTimeInterval: 0.2)
    }
}

/// Opens connections as fast as it can, from one network, and asks nothing; then lets go of all.
func floodWithConnections(_ port: UInt16, _ tally: Tally) {
    let openMax = 2500
    var open: [QuerySocket] = []
    var number = 0
    while tally.isRunning {
        let client = DNSClient(port: port, source: "127.5.0.\(number % 250 + 1)")
        number += 1
        if let socket = try? QuerySocket(client, isStream: true, seconds: 0.2) {
            socket.closeByReset()
            tally.hostileConnections.advance()
            open.append(socket)
        }
        if open.count == openMax {
            open = []
            Thread.sleep(forTimeInterval: 1)
        }
        // A thousand a second leave the processors something for the others.
        if number % 10 == 0 { Thread.sleep(forTimeInterval: 0.01) }
    }
}
