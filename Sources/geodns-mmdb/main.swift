import DatabaseBuilder
import Glibc

/// Builds location databases for geodns. Exit status: 0 written, 1 input or file error, 2 usage.
do {
    switch try Command(CommandLine.arguments.dropFirst()) {
    case .help:
        print(Command.usage)
    case .worldCountry(let inputs, let output):
        print(try buildWorldCountry(inputs, output: output))
    case .fromCSV(let input, let output):
        print(try buildFromCSV(input, output: output))
    }
} catch let error as UsageError {
    complain("geodns-mmdb: \(error.message)\n\(Command.usage)")
    exit(2)
} catch let error as SourceError {
    complain(error.description)
    exit(1)
} catch {
    complain("geodns-mmdb: error: \(error)")
    exit(1)
}
