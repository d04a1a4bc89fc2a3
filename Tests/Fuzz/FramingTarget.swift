import Addressing
import DNSWire
import Responder
import Transport

extension FuzzTarget {
    /// Any bytes on a TCP connection, in pieces of any size, with a client that reads its
    /// responses in pieces too: what leaves is what the frames ask for, one by one, however they
    /// were cut. Half of the inputs come through a proxy, and have its header before the frames.
    static let framing = FuzzTarget(
        name: "framing", byteCountMax: 4096,
        seeds: {
            stride(from: 0, to: FuzzServer.names.count, by: 4).map { index in
                let queries = (0..<4).map { step in
                    Message.query(
                        FuzzServer.names[(index + step * 7) % FuzzServer.names.count],
                        FuzzServer.types[step], identifier: UInt16(step))
                }
                let pieces = (0..<index % 9).map { UInt8($0 * index % 80) }
                let header = index % 8 == 0 ? ProxyTarget.headers[index / 8 % 4] : []
                return [UInt8(pieces.count) | (header.isEmpty ? 0 : 0x80)] + pieces + header
                    + queries.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 }
                    + (index % 3 == 0 ? [0, 0, 1] : index % 3 == 1 ? [0, 40, 1] : [])
            }
        },
        fault: { input in
            var reader = InputReader(input)
            let first = reader.byte()
            let pieces = reader.bytes(Int(first % 64)).map { Int($0) }
            let isProxied = first & 0x80 != 0
            let stream = reader.remainder()
            let expected = answers(to: stream, isProxied: isProxied)
            for pieces in [pieces, [], [1]] {
                let fault = connectionFault(
                    stream, isProxied: isProxied, pieces: pieces, expected)
                if let fault { return fault }
            }
            return nil
        })
}

private let peer = FuzzServer.clients[0]

private func answer(_ query: [UInt8], from client: IPAddress) -> [UInt8] {
    FuzzServer.shared.answer(query, from: client, over: .stream)
}

/// What the whole frames of `stream` are answered with, up to one of no bytes.
private func answers(to stream: [UInt8], isProxied: Bool) -> [UInt8] {
    var output: [UInt8] = []
    var rest = stream[...]
    var client = peer
    if isProxied {
        guard case .header(let count, let source) = ProxyHeader.decode(stream.span) else {
            return []
        }
        rest = rest.dropFirst(count)
        client = source ?? peer
    }
    while rest.count >= 2 {
        let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
        guard length > 0, rest.count >= 2 + length else { break }
        let response = answer(Array(rest.dropFirst(2).prefix(length)), from: client)
        if !response.isEmpty {
            output += [UInt8(response.count >> 8), UInt8(response.count & 255)] + response
        }
        rest = rest.dropFirst(2 + length)
    }
    return output
}

/// Walks a connection to its end. `pieces` are the sizes in which bytes are read and written, over
/// and over; none: as much as there is room for.
private func connectionFault(
    _ stream: [UInt8], isProxied: Bool, pieces: [Int], _ expected: [UInt8]
) -> String? {
    let now = ContinuousClock.now
    var connection = StreamConnection(
        from: peer, isProxied: isProxied, openedAt: now, idleTimeout: .seconds(10),
        transferTimeout: .seconds(10))
    var scratch = [UInt8](repeating: 0, count: 65_535)
    var unread = stream[...]
    var written: [UInt8] = []
    var steps = 0
    func piece() -> Int { pieces.isEmpty ? .max : max(1, pieces[steps % pieces.count]) }
    // Each step takes or gives a byte, answers, or ends the input.
    while steps <= 2 * (stream.count + expected.count) + 10 {
        steps += 1
        guard connection.output.count < StreamConnection.outputByteCountMax + 65_537
        else { return "\(connection.output.count) bytes wait to be written" }
        switch connection.action {
        case .answer:
            let client = connection.client
            _ = connection.answer(at: now, using: &scratch) { query, response in
                let bytes = answer(query.withUnsafeBufferPointer { Array($0) }, from: client)
                for (index, byte) in bytes.enumerated() { response[index] = byte }
                return bytes.count
            }
        case .wait(let isReading, let isWriting):
            if isWriting, !isReading || piece() % 2 == 0 || unread.isEmpty {
                let count = min(piece(), connection.output.count)
                written += connection.output.prefix(count)
                _ = connection.wrote(count, at: now)
            } else if isReading, unread.isEmpty {
                _ = connection.receivedEnd()
            } else if isReading {
                let bytes = unread.prefix(min(piece(), connection.inputRoom))
                guard !bytes.isEmpty else { return "it reads, and has no room" }
                unread = unread.dropFirst(bytes.count)
                _ = connection.received(bytes, at: now)
            } else {
                return "it waits for nothing"
            }
        case .close:
            return written == expected
                ? nil : "\(stream) in \(pieces): \(written) instead of \(expected)"
        }
    }
    return "\(stream) in \(pieces): no end"
}
