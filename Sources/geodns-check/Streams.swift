import Addressing
import Glibc
import SystemCalls

/// Lines of a file or of standard input, a block of them at a time: there may be any number.
struct LineStream {
    /// As messages call it: the path, or `<stdin>`.
    let name: String
    /// Of a regular file, to tell how far reading has come; nil for a pipe.
    let byteCount: Int?
    private let file: FileDescriptor
    private(set) var bytes: [UInt8] = Array(repeating: 0, count: LineStream.blockByteCount)
    /// What was read into `bytes`, and what of it was handed out.
    private var filled = 0
    private var used = 0
    private var isAtEnd = false

    /// Small enough to stay in a processor's cache; a line that does not fit is no address.
    private static let blockByteCount = 1 << 18

    /// `path` `-` is standard input.
    init(_ path: String) throws(Errno) {
        // SAFETY: the path is a string for as long as the call takes.
        file = try FileDescriptor {
            path == "-" ? dup(0) : unsafe open(path, O_RDONLY | O_CLOEXEC)
        }
        name = path == "-" ? "<stdin>" : path
        var status = stat()
        let isKnown = unsafe fstat(file.number, &status) == 0
        byteCount = isKnown && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// The next lines, as a range of `bytes`; nil at the end. Each ends with a newline, but for the
    /// last of the file, and for one that is longer than a block.
    mutating func next() throws(Errno) -> Range<Int>? {
        let rest = filled - used
        for index in 0..<rest { bytes[index] = bytes[used + index] }
        filled = rest
        used = 0
        while true {
            if !isAtEnd, filled < bytes.count { try read() }
            guard filled > 0 else { return nil }
            if isAtEnd || filled == bytes.count {
                used = endOfLines ?? filled
                // The last line may have no end.
                if isAtEnd { used = filled }
                return 0..<used
            }
            if let end = endOfLines {
                used = end
                return 0..<end
            }
        }
    }

    /// Behind the last newline of what was read.
    private var endOfLines: Int? {
        bytes[..<filled].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
    }

    private mutating func read() throws(Errno) {
        let (start, number) = (filled, file.number)
        let outcome = attempt {
            // SAFETY: the kernel writes at most what is left of the block behind `start`.
            unsafe bytes.withUnsafeMutableBytes { block in
                unsafe Glibc.read(number, block.baseAddress! + start, block.count - start)
            }
        }
        switch outcome {
        case .success(0): isAtEnd = true
        case .success(let count): filled += count
        case .failure(let error): throw error
        }
    }
}

/// Standard output, or a file, in large pieces.
struct OutputStream {
    var bytes: [UInt8] = []
    /// Nil: standard output.
    private var file: FileDescriptor?

    init() {}

    /// A new file at `path`, in place of what is there.
    init(path: String) throws(Errno) {
        // SAFETY: the path is a string for as long as the call takes.
        file = try FileDescriptor {
            unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        }
    }

    /// Whether enough has come together for a write.
    var isFull: Bool { bytes.count >= 1 << 16 }

    mutating func flush() throws(Errno) {
        var start = 0
        let number = file?.number ?? 1
        while start < bytes.count {
            let outcome = attempt {
                // SAFETY: the kernel reads what is left of the array behind `start`.
                unsafe bytes.withUnsafeBytes { rest in
                    unsafe write(number, rest.baseAddress! + start, rest.count - start)
                }
            }
            switch outcome {
            case .success(let count): start += count
            case .failure(let error): throw error
            }
        }
        bytes.removeAll(keepingCapacity: true)
    }
}

/// A line at the terminal that tells how far a long run has come; none where nobody looks.
struct ProgressLine {
    private let isShown: Bool
    private let whole: Int?
    private let start = ProgressLine.seconds
    private var last = 0.0

    /// `whole`: how many bytes there are to go through, if that is known.
    init(whole: Int?) {
        // Where the results go to the terminal, they are progress enough.
        isShown = isatty(2) == 1 && isatty(1) == 0
        self.whole = whole
    }

    /// Ten times a second at most.
    mutating func show(byteCount: Int, clientCount: Int) {
        guard isShown else { return }
        let now = ProgressLine.seconds - start
        guard now - last >= 0.1 else { return }
        last = now
        var text = "\r"
        if let whole, whole > 0 {
            let width = 30
            let portion = min(Double(byteCount) / Double(whole), 1)
            let done = Int(portion * Double(width))
            text += "[" + String(repeating: "#", count: done)
            text += String(repeating: ".", count: width - done) + "] \(Int(portion * 100)) %  "
        }
        text += "\(clientCount) clients, \(Int(Double(clientCount) / now)) a second"
        write(text + "\u{1b}[K")
    }

    func clear() {
        if isShown, last > 0 { write("\r\u{1b}[K") }
    }

    private func write(_ text: String) {
        var text = text
        // SAFETY: the kernel reads the bytes of the string.
        text.withUTF8 { bytes in _ = unsafe Glibc.write(2, bytes.baseAddress, bytes.count) }
    }

    private static var seconds: Double {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
