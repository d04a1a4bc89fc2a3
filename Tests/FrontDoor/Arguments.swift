struct UsageError: Error {
    var words: String
}

/// How a front door answers.
enum Mode: String, CaseIterable {
    case ok
    case failing = "500"
    /// Accepts, reads, and never answers.
    case hang
    /// Begins an answer, and sends a byte of its header now and then, for ever.
    case slowHeaders = "slow-headers"
    /// Closes each connection as soon as it is there.
    case close
}

struct Arguments {
    static let usage =
        "usage: front-door --listen ADDRESS@PORT [--name NAME] [--mode ok|500|hang|slow-headers|close]"

    var address = ""
    var port: UInt16 = 0
    var name = "front-door"
    var mode = Mode.ok

    init(_ words: ArraySlice<String>) throws(UsageError) {
        var rest = words
        var isListening = false
        while let key = rest.popFirst() {
            guard ["--listen", "--name", "--mode"].contains(key) else {
                throw UsageError(words: "unknown argument '\(key)'")
            }
            guard let value = rest.popFirst() else {
                throw UsageError(words: "\(key) needs a value")
            }
            switch key {
            case "--listen":
                try listen(on: value)
                isListening = true
            case "--name": name = value
            default:
                guard let mode = Mode(rawValue: value) else {
                    throw UsageError(words: "--mode \(value): no such mode")
                }
                self.mode = mode
            }
        }
        guard isListening else { throw UsageError(words: "--listen is missing") }
    }

    private mutating func listen(on value: String) throws(UsageError) {
        let parts = value.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, SocketAddress(String(parts[0]), port: 0) != nil,
            let port = UInt16(parts[1]), port > 0
        else {
            throw UsageError(
                words:
                    "--listen \(value): expected ADDRESS@PORT, such as 127.0.1.1@8080 or ::1@8080")
        }
        address = String(parts[0])
        self.port = port
    }
}
