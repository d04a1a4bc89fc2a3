// A small HTTP/1.1 front door that can be told to fail: what the demo and the tests balance over.

import Glibc

/// Statuses a caller can tell apart: 0 ended as asked, 1 the address cannot be had, 2 usage.
func complain(_ words: String, exitStatus: Int32) -> Never {
    for line in words.split(separator: "\n") { writeLine("front-door: \(line)", to: STDERR_FILENO) }
    exit(exitStatus)
}

do {
    let arguments = try Arguments(CommandLine.arguments.dropFirst())
    let signals = try SignalPipe()
    let listener = try Listener(arguments.address, port: arguments.port)
    writeLine("ready", to: STDOUT_FILENO)
    var door = FrontDoor(name: arguments.name, mode: arguments.mode)
    door.serve(listener, until: signals)
} catch let error as UsageError {
    complain("\(error.words)\n\(Arguments.usage)", exitStatus: 2)
} catch let error as SocketError {
    complain(error.words, exitStatus: 1)
}
