import Configuration
import Glibc
import Server
import SystemCalls

// A thin main: understand the command line, run, end with the status.

do throws(UsageError) {
    switch try ServerSettings.program.parse(CommandLine.arguments.dropFirst()) {
    case .print(let text):
        print(text, terminator: "")
    case .run(let arguments):
        run(try ServerSettings(arguments))
    }
} catch {
    ServerSettings.program.fail("\(error)", status: error.status)
}

func run(_ settings: ServerSettings) -> Never {
    do throws(Errno) {
        exit(try Server(settings).run())
    } catch {
        ServerSettings.program.fail("cannot start: \(error)", status: 1)
    }
}
