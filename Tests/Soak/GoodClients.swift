import Foundation
import TestSupport

/// Asks good questions over UDP until told to stop. At most `windowSize` wait for their answers, so
/// that the socket buffers of the server hold them all: what is not answered, the server lost.
func askOverDatagrams(_ port: UInt16, client number: Int, _ tally: Tally) {
    let windowSize = 16
    var generator = SeededGenerator(seed: UInt64(number))
    var judge = Judge()
    let clientCookie = (0..<8).map { _ in UInt8(generator.number(0...255)) }
    // With the server's part, once it is known: such queries are not limited.
    var cookie = clientCookie
    while tally.isRunning {
        // Another port, and with it perhaps another worker.
        let client = DNSClient(port: port, source: "127.1.0.\(number + 1)")
        guard let socket = try? QuerySocket(client, seconds: 5) else {
            tally.violation("client \(number) has no socket: errno \(errno)")
            return
        }
        for _ in 0..<2000 where tally.isRunning {
            let first = UInt16(generator.number(0...60_000))
            let asked = (0..<windowSize).map { _ in
                generator.number(0...SoakZone.questions.count - 1)
            }
            for (offset, index) in asked.enumerated() {
                try? socket.send(
                    SoakZone.questions[index].message(
                        identifier: first + UInt16(offset), cookie: cookie))
            }
            var waiting = Set(0..<windowSize)
            while !waiting.isEmpty, let response = socket.receiveMessage() {
                guard let offset = identifier(response).map({ Int($0) - Int(first) }),
                    waiting.remove(offset) != nil
                else {
                    tally.violation("an answer that nobody waits for: \(response)")
                    continue
                }
                let question = SoakZone.questions[asked[offset]]
                let fault = judge.fault(
                    of: response, to: question, asked[offset], overStream: false)
                if let fault {
                    tally.violation("over UDP, \(fault)")
                } else {
                    tally.datagramAnswers.advance()
                    cookie = serverCookie(in: response, for: clientCookie) ?? cookie
                }
            }
            if !waiting.isEmpty {
                tally.datagramLosses.advance(by: waiting.count)
                let names = waiting.map { "\(SoakZone.questions[asked[$0]].name)" }
                say("unanswered over UDP after 5 s: \(names)")
                break
            }
        }
    }
}

/// The COOKIE option's data where it is the last option of a response, as it nearly always is.
func serverCookie(in response: [UInt8], for clientCookie: [UInt8]) -> [UInt8]? {
    let option = response.suffix(28)
    return option.starts(with: [0, 10, 0, 24] + clientCookie) ? Array(option.dropFirst(4)) : nil
}

func identifier(_ message: [UInt8]) -> UInt16? {
    message.count < 12 ? nil : UInt16(message[0]) << 8 | UInt16(message[1])
}

/// Asks good questions over TCP connections, several at a time, until told to stop.
func askOverStreams(_ port: UInt16, client number: Int, _ tally: Tally) {
    let windowSize = 12
    var generator = SeededGenerator(seed: UInt64(number) + 1000)
    var judge = Judge()
    let cookie = (0..<8).map { _ in UInt8(generator.number(0...255)) }
    while tally.isRunning {
        let client = DNSClient(port: port, source: "127.1.1.\(number + 1)")
        guard let socket = try? QuerySocket(client, isStream: true, seconds: 10) else {
            tally.violation("client \(number) cannot connect: errno \(errno)")
            continue
        }
        exchanges: for _ in 0..<generator.number(1...100) where tally.isRunning {
            let asked = (0..<windowSize).map { _ in
                generator.number(0...SoakZone.questions.count - 1)
            }
            for (offset, index) in asked.enumerated() {
                let message = SoakZone.questions[index].message(
                    identifier: UInt16(offset), cookie: cookie)
                do { try socket.send(message) } catch {
                    tally.violation("over TCP, cannot send: errno \(errno)")
                    break exchanges
                }
            }
            // Answers may come in another order (RFC 7766 §7).
            var waiting = Set(0..<windowSize)
            while !waiting.isEmpty {
                guard let response = socket.receiveMessage(), let offset = identifier(response),
                    waiting.remove(Int(offset)) != nil
                else {
                    let names = waiting.map { "\(SoakZone.questions[asked[$0]].name)" }
                    tally.violation("unanswered over TCP: \(names)")
                    break exchanges
                }
                let index = asked[Int(offset)]
                let fault = judge.fault(
                    of: response, to: SoakZone.questions[index], index, overStream: true)
                if let fault {
                    tally.violation("over TCP, \(fault)")
                } else {
                    tally.streamAnswers.advance()
                }
            }
        }
    }
}
