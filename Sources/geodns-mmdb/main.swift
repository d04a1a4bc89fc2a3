import Configuration
import DatabaseBuilder
import Glibc

/// Builds location databases for geodns. Exit status: 0 written, 1 input or file error, 2 usage.
do {
    switch try Command.program.parse(CommandLine.arguments.dropFirst()) {
    case .print(let text):
        print(text, terminator: "")
    case .run(let arguments):
        switch try Command(arguments) {
        case .worldCountry(let inputs, let output):
            print(try buildWorldCountry(inputs, output: output))
        case .fromCSV(let input, let output):
            print(try buildFromCSV(input, output: output))
        }
    }
} catch let error as UsageError {
    complain(
        "geodns-mmdb: \(error.description)\n\(Command.program.usage)\n"
            + "`geodns-mmdb --help` tells more")
    exit(2)
} catch let error as SourceError {
    complain(error.description)
    exit(1)
} catch {
    complain("geodns-mmdb: error: \(error)")
    exit(1)
}
