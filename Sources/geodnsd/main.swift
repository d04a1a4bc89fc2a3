import Configuration
import Glibc
import Server

// A thin main: understand the command line, run, end with the status.

func fail(_ message: String, status: Int32) -> Never {
    unsafe fputs("geodnsd: \(message)\n", stderr)
    exit(status)
}

do throws(UsageError) {
    switch try ServerSettings.program.parse(CommandLine.arguments.dropFirst()) {
    case .print(let text):
        print(text, terminator: "")
    case .run(let arguments):
        exit(Server(try ServerSettings(arguments)).run())
    }
} catch {
    fail("\(error)", status: 2)
}
