import Administration
import Configuration
import Glibc

// A thin main: sends the words of its command line to the server, prints what comes back.

let program = Program(
    name: "geodnsctl", section: 8,
    summary: "Talks to a running geodnsd.",
    operands: "COMMAND",
    commands: [
        Program.Command("status", "what it serves and what it has answered"),
        Program.Command("regions", "every target with the state of its addresses and checks"),
        Program.Command(
            "events",
            "what happened to the health of targets lately, with the probes that led to it"),
        Program.Command("reload", "read zones and location database again; errors change nothing"),
        Program.Command("stop", "answer what has come in, and end"),
    ],
    options: [
        Option(
            "control", "PATH", "its control socket (default \(ServerSettings.defaultControl))"),
        Option("json", nil, "events: an object a line"),
        Option("follow", nil, "events: go on as they come"),
    ],
    notes: ["Exit status: 0 fine, 1 the server cannot be reached or has refused, 2 wrong usage."])

do throws(UsageError) {
    switch try program.parse(CommandLine.arguments.dropFirst()) {
    case .print(let text):
        print(text, terminator: "")
    case .run(let arguments):
        guard !arguments.operands.isEmpty else {
            throw UsageError("no command given; `geodnsctl --help` lists them all")
        }
        guard arguments.operands == ["events"] || !arguments.has("json") && !arguments.has("follow")
        else { throw UsageError("--json and --follow belong to events") }
        run(arguments)
    }
} catch {
    program.fail("\(error)", status: 2)
}

func run(_ arguments: Arguments) {
    var words = arguments.operands
    if arguments.has("json") { words.append("json") }
    guard arguments.has("follow") else {
        print(send(words, arguments), terminator: "")
        return
    }
    var last = "0"
    repeat {
        let lines = send(words + ["after", last], arguments)
        print(lines, terminator: "")
        flushOutput()
        last = lastNumber(in: lines) ?? last
        // Until a signal comes. (Swift 6.3 does not finish compiling an endless loop here.)
    } while sleep(1) == 0
}

/// Of an event: the first number of its line.
func lastNumber(in lines: String) -> String? {
    guard let line = lines.split(separator: "\n").last else { return nil }
    return String(line.drop { !$0.isNumber }.prefix { $0.isNumber })
}

/// The reply's text; ends the program when there is none.
func send(_ words: [String], _ arguments: Arguments) -> String {
    do throws(ControlError) {
        let path = arguments.last("control") ?? ServerSettings.defaultControl
        switch try ControlClient.send(words, path: path) {
        case .ok(let body): return body
        case .failed(let message): program.fail(message, status: 1)
        }
    } catch {
        program.fail("\(error)", status: 1)
    }
}
