import Configuration
import Glibc
import Server

// A thin main: understand the command line, run, end with the status.

do throws(UsageError) {
    switch try ServerSettings.program.parse(CommandLine.arguments.dropFirst()) {
    case .print(let text):
        print(text, terminator: "")
    case .run(let arguments):
        exit(Server(try ServerSettings(arguments)).run())
    }
} catch {
    ServerSettings.program.fail("\(error)", status: 2)
}
