import CLinux
import Glibc
import Health
import SystemCalls

/// An exec probe: a program in a process group of its own, of which the exit status counts.
///
/// `argv` is the program and the address. No shell, no environment but a PATH, nothing on standard
/// input; the first line of standard output becomes the reason.
@safe final class RunningProgram: Flight {
    let ticket: ProbeTicket
    let probe: Probe
    private let poller: Poller
    private let startTime = MonotonicTime.now()
    private let process: pid_t
    /// Readable when the process has ended.
    private let processDescriptor: FileDescriptor
    /// Nil once everybody who could write to it has closed it.
    private var output: FileDescriptor?
    private var line: [UInt8] = []
    /// It has been told to end; what it says no longer counts.
    private var isGivenUp = false
    private(set) var isOver = false

    /// What is kept of the output; the rest is read and thrown away, so that no program waits.
    private static let lineByteCountMax = 200

    /// What PATH programs get: the system's, whatever this server was started with.
    static let environment =
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The outcome instead, when the program cannot be started.
    static func start(
        _ probe: Probe, ticket: ProbeTicket, program: String, number: UInt64, poller: Poller
    ) -> (flight: RunningProgram?, outcome: Outcome?) {
        var ends: [Int32] = [-1, -1]
        guard unsafe clinux_pipe(&ends) == 0 else {
            return (nil, .obstacle("cannot run \(program): \(Errno(errno).words)"))
        }
        let (output, input) = (FileDescriptor(ends[0]), FileDescriptor(ends[1]))
        var process: pid_t = 0
        let code = unsafe withStrings([program, "\(probe.address)"]) { arguments in
            unsafe withStrings([environment]) { environment in
                unsafe clinux_spawn(&process, arguments[0], arguments, environment, input.number)
            }
        }
        guard code == 0 else {
            return (nil, .obstacle("cannot run \(program): \(Errno(code).words)"))
        }
        let descriptor = clinux_process_descriptor(process)
        guard descriptor >= 0 else {
            let words = Errno(errno).words
            clinux_kill_group(process)
            _ = waitpid(process, nil, 0)
            return (nil, .obstacle("cannot wait for \(program): \(words)"))
        }
        let flight = RunningProgram(
            probe, ticket: ticket, process: process, FileDescriptor(descriptor), output, poller)
        poller.watch(descriptor, as: .flight(number), for: .reading)
        poller.watch(output.number, as: .flight(number), for: .reading)
        return (flight, nil)
    }

    private init(
        _ probe: Probe, ticket: ProbeTicket, process: pid_t, _ processDescriptor: FileDescriptor,
        _ output: FileDescriptor, _ poller: Poller
    ) {
        self.probe = probe
        self.ticket = ticket
        self.process = process
        self.processDescriptor = processDescriptor
        self.output = output
        self.poller = poller
    }

    /// Nobody else takes it in: it would stay a zombie for as long as this server runs.
    deinit {
        guard !isOver else { return }
        clinux_kill_group(process)
        _ = waitpid(process, nil, 0)
    }

    func proceed() -> Outcome? {
        readOutput()
        var status: Int32 = 0
        guard !isOver, unsafe clinux_take_in(process, &status) else { return nil }
        isOver = true
        guard !isGivenUp else { return nil }
        let words = status < 0 ? "ended by signal \(-status)" : "exit status \(status)"
        let text = String(
            decoding: line.prefix { $0 != 0x0a && $0 != 0x0d }
                .filter { (0x20...0x7e).contains($0) }, as: UTF8.self)
        var result = ProbeResult(
            status == 0 ? .passed : .failed, in: .response,
            because: words + (text.isEmpty ? "" : ": \(text)"), after: .now() - startTime)
        // Why, only the program knows.
        result.isSilence = status != 0
        return .result(result)
    }

    /// As much as a pipe holds; what comes meanwhile is reported again.
    private func readOutput() {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let room = buffer.count
        guard let output,
            case .success(let count) = attempt({
                unsafe read(output.number, &buffer, room)
            })
        else { return }
        line += buffer.prefix(min(count, RunningProgram.lineByteCountMax - line.count))
        guard count == 0 else { return }
        poller.forget(output.number)
        self.output = nil
    }

    func expire() -> Outcome {
        abandon()
        var result = ProbeResult(
            .failed, in: .response,
            because: "did not end within \(probe.check.timeout.inWords)", after: .now() - startTime)
        result.isSilence = true
        return .result(result)
    }

    /// It is taken in when it has ended, which SIGKILL may take a while to bring about.
    func abandon() {
        guard !isOver, !isGivenUp else { return }
        isGivenUp = true
        clinux_kill_group(process)
    }
}

/// Calls `body` with a null-terminated list of C strings, as execve(2) wants it.
func withStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
    // SAFETY: the array has its final null, and outlives the call.
    return unsafe pointers.withUnsafeBufferPointer { buffer in
        unsafe body(buffer.baseAddress.unsafelyUnwrapped)
    }
}
