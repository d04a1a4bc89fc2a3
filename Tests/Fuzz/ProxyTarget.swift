import Addressing
import Transport

extension FuzzTarget {
    /// Any bytes as the header a proxy sends: what they are does not depend on how much of them
    /// has come, and a header says what a second reading of the specification finds in it.
    static let proxy = FuzzTarget(
        name: "proxy", byteCountMax: 400,
        seeds: {
            ProxyTarget.headers + [[0, 4, 1, 2, 3, 4]]
        },
        words: { [signature] },
        fault: { input in
            var before = ProxyHeader.Verdict.incomplete
            for count in 0...input.count {
                let verdict = ProxyHeader.decode(Array(input[..<count]).span)
                if before != .incomplete, verdict != before {
                    return "\(before) becomes \(verdict) with byte \(count) of \(input)"
                }
                before = verdict
            }
            return before == expected(input)
                ? nil : "\(before) instead of \(expected(input)): \(input)"
        })
}

/// Good headers.
enum ProxyTarget {
    static let headers: [[UInt8]] = [
        header(0x20, 0x00, []), header(0x21, 0x11, [192, 0, 2, 1, 192, 0, 2, 2, 1, 2, 0, 53]),
        header(0x21, 0x21, [UInt8](repeating: 0x20, count: 36)),
        header(0x21, 0x12, [192, 0, 2, 1, 192, 0, 2, 2, 1, 2, 0, 53, 4, 0, 1, 0]),
        header(0x21, 0x22, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255] + [UInt8](1...24)),
        header(0x21, 0x31, [UInt8](repeating: 0, count: 216)), header(0x21, 0x00, [1, 2]),
    ]
}

private let signature: [UInt8] = Array("\r\n\r\n\0\r\nQUIT\n".utf8)

private func header(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
    signature + [command, family, 0, UInt8(rest.count)] + rest
}

/// Section 2.2 of proxy-protocol.txt, read once more.
private func expected(_ input: [UInt8]) -> ProxyHeader.Verdict {
    guard input.starts(with: signature) else {
        return signature.starts(with: input) ? .incomplete : .malformed
    }
    guard input.count >= 16 else { return .incomplete }
    let end = 16 + Int(input[14]) << 8 + Int(input[15])
    let isLocal = input[12] == 0x20
    guard isLocal || input[12] == 0x21 else { return .malformed }
    let (family, transport) = (input[13] >> 4, input[13] & 15)
    guard isLocal || family <= 3 && transport <= 2 else { return .malformed }
    let hasAddress = !isLocal && (family == 1 || family == 2) && transport > 0
    let width = family == 1 ? 4 : 16
    guard !hasAddress || end >= 16 + 2 * width + 4 else { return .malformed }
    guard input.count >= end else { return .incomplete }
    guard hasAddress else { return .header(byteCount: end, client: nil) }
    var source = Array(input[16..<16 + width])
    if source.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]) { source.removeFirst(12) }
    return .header(byteCount: end, client: IPAddress(bytes: source))
}
