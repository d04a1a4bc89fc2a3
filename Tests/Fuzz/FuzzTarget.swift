/// Something of ours that takes bytes from outside, and what must hold whatever they are.
///
/// `make fuzz` runs each with libFuzzer; `FuzzTests` runs each over its seeds and some mutations of
/// them, so that `swift test` keeps them working.
struct FuzzTarget: Sendable {
    var name: String
    /// The longest input that makes sense.
    var byteCountMax: Int
    /// Good inputs to start from.
    var seeds: @Sendable () -> [[UInt8]]
    /// Words that inputs are made of, for the fuzzer's dictionary.
    var words: @Sendable () -> [[UInt8]] = { [] }
    /// What is wrong with what came of an input; nil when all is well.
    var fault: @Sendable (_ input: [UInt8]) -> String?

    static let all: [FuzzTarget] = [
        .message, .options, .zoneFile, .framing, .proxy, .database, .settings, .frame,
    ]
}

/// Takes an input apart from the front; past its end everything is zero.
struct InputReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func uint16() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }

    /// Fewer when no more are left.
    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func remainder() -> [UInt8] { bytes(rest.count) }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(byte()) % elements.count]
    }
}
