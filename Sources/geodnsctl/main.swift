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
        Program.Command(
            "overrides", "what was ordered by the commands below, and until when"),
        Program.Command(
            "drain TARGET…",
            "no new clients there, unless nothing else is left; tells when the last are gone"),
        Program.Command("down TARGET…", "as if its checks had failed"),
        Program.Command("up TARGET…", "as if its checks passed"),
        Program.Command("undrain TARGET…", "what `drain` said is over"),
        Program.Command(
            "clear TARGET…", "what `drain`, `down` or `up` said is over: the checks' word counts"),
        Program.Command(
            "set NAME TARGET:WEIGHT…",
            "other shares for a weighted name, from the next query on"),
        Program.Command("unset NAME", "the zone's shares again"),
        Program.Command(
            "shift NAME 'FROM->TO' STEP%/PACE",
            "move a share step by step, like 10%/1m; stops when TO is not well. "
                + "`shift NAME pause`, `resume` and `abort` as they say"),
        Program.Command(
            "reload",
            "read zones and location database again; errors change nothing, nor does what would move "
                + "more clients than the server's max-moved"),
        Program.Command("stop", "answer what has come in, and end"),
    ],
    options: [
        Option(
            "control", "PATH", "its control socket (default \(ServerSettings.defaultControl))"),
        Option("json", nil, "events, overrides: an object a line"),
        Option("follow", nil, "events: go on as they come"),
        Option("for", "TIME", "drain, down, up, set: for so long, like 90s, 30m, 2h or 1d"),
        Option("reason", "TEXT", "drain, down, up, set, shift: why; logs and status show it"),
        Option(
            "client", "WHO",
            "drain, down, up, set, shift, and what takes them back: for some clients, country=CC, "
                + "continent=CC or net=PREFIX"),
        Option(
            "force", nil,
            "drain, down, set, shift: against the safety rules; reload: whoever moves"),
    ],
    notes: [
        "A TARGET is a region, a name with addresses or a GEO name, relative to its zone or in full; `*` and `?` "
            + "stand for any characters and any one. What was ordered outlives reloads, and restarts with --state.",
        "Exit status: 0 fine, 1 the server cannot be reached or has refused, 2 wrong usage.",
    ])

/// Options that are words of the request, and the commands that take them.
let terms: [(option: String, commands: Set<String>)] = [
    ("for", ["drain", "down", "up", "set"]),
    ("reason", ["drain", "down", "up", "set", "shift"]),
    ("client", ["drain", "down", "up", "undrain", "clear", "set", "unset", "shift"]),
]

do throws(UsageError) {
    switch try program.parse(CommandLine.arguments.dropFirst()) {
    case .print(let text):
        print(text, terminator: "")
    case .run(let arguments):
        try check(arguments)
        run(arguments)
    }
} catch {
    program.fail("\(error)", status: 2)
}

func check(_ arguments: Arguments) throws(UsageError) {
    guard let command = arguments.operands.first else {
        throw UsageError("no command given; `geodnsctl --help` lists them all")
    }
    if let complaint = program.complaint(aboutCommand: command) { throw complaint }
    guard !arguments.has("follow") || arguments.operands == ["events"] else {
        throw UsageError("--follow belongs to events")
    }
    guard !arguments.has("json") || [["events"], ["overrides"]].contains(arguments.operands) else {
        throw UsageError("--json belongs to events and overrides")
    }
    let flags = terms + [("force", ["drain", "down", "reload", "set", "shift"])]
    for (option, commands) in flags where arguments.has(option) && !commands.contains(command) {
        throw UsageError(
            "--\(option) belongs to \(commands.sorted().joined(separator: ", "))")
    }
}

func run(_ arguments: Arguments) {
    var words = arguments.operands
    for (option, _) in terms {
        if let value = arguments.last(option) { words.append("\(option)=\(value)") }
    }
    for flag in ["json", "force"] where arguments.has(flag) { words.append(flag) }
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
