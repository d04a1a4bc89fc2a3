import Administration
import Configuration
import Glibc

// A thin main: sends the words of its command line to the server, prints what comes back.

let program = Program(
    name: "geodnsctl",
    summary: "Talks to a running geodnsd.",
    operands: "COMMAND",
    options: [
        Option(
            "control", "PATH", "its control socket (default \(ServerSettings.defaultControl))")
    ],
    notes: [
        "commands:",
        "  status    what it serves and what it has answered",
        "  regions   every target with the state of its addresses and checks",
        "  reload    read zones and location database again; errors change nothing",
        "  stop      answer what has come in, and end",
    ])

do throws(UsageError) {
    switch try program.parse(CommandLine.arguments.dropFirst()) {
    case .print(let text):
        print(text, terminator: "")
    case .run(let arguments):
        guard !arguments.operands.isEmpty else {
            throw UsageError("no command given; `geodnsctl --help` lists them all")
        }
        run(arguments)
    }
} catch {
    program.fail("\(error)", status: 2)
}

func run(_ arguments: Arguments) {
    do throws(ControlError) {
        let path = arguments.last("control") ?? ServerSettings.defaultControl
        switch try ControlClient.send(arguments.operands, path: path) {
        case .ok(let body): print(body, terminator: "")
        case .failed(let message): program.fail(message, status: 1)
        }
    } catch {
        program.fail("\(error)", status: 1)
    }
}
