import Diagnostics
import SystemCalls

/// `--config FILE`: settings as YAML, under the names that the options have on the command line.
///
///     listen: [192.0.2.53, "[2001:db8::53]"]
///     workers: 2
///     rrl:
///       rate: 1000          # as --rrl-rate
///
/// A mapping inside another joins its names with `-`; a list stands for an option that may be
/// repeated; an option without a value is `true` or `false`.
struct SettingsFile {
    struct Setting: Equatable {
        var option: String
        /// Empty for an option without a value.
        var value: String
        var location: SourceLocation
    }

    /// In the order of the file.
    private(set) var settings: [Setting] = []
    private(set) var problems: [Diagnostic] = []

    private let options: [Option]
    private var reader: YAMLReader

    /// Reads the whole file and finds every problem of its form; values are looked at by those who
    /// use them. Throws when the file cannot be opened.
    init(_ path: String, for options: [Option]) throws(Errno) {
        self.options = options
        reader = try YAMLReader(path)
        do throws(Diagnostic) {
            try readDocument()
        } catch {
            problems.append(error)
        }
    }

    private mutating func readDocument() throws(Diagnostic) {
        guard let first = try reader.next(), !first.kind.isNull else { return }
        guard first.kind == .mappingStart else {
            throw problem(
                at: first.location, "expected settings, each a line like `workers: 2`")
        }
        try readMapping(below: "")
        if let more = try reader.next() {
            throw problem(at: more.location, "a second document; a settings file is one")
        }
    }

    /// After its start, to its end. `prefix`: names of the mappings around it, each with its `-`.
    private mutating func readMapping(below prefix: String) throws(Diagnostic) {
        while let key = try reader.next(), key.kind != .mappingEnd {
            guard case .scalar(let name, _) = key.kind else {
                throw problem(at: key.location, "expected the name of a setting")
            }
            try readValue(of: prefix + name, at: key.location)
        }
    }

    private mutating func readValue(
        of name: String, at location: SourceLocation
    ) throws(Diagnostic) {
        guard let value = try reader.next() else { return }
        let option = options.first { $0.name == name && !$0.isForCommandLineOnly }
        if value.kind == .mappingStart, options.contains(where: { $0.name.hasPrefix(name + "-") }) {
            try readMapping(below: name + "-")
            return
        }
        guard let option else {
            problems.append(unknown(name, at: location))
            try skipRest(of: value)
            return
        }
        if let first = settings.first(where: { $0.option == name }) {
            problems.append(
                problem(
                    at: location,
                    "\(name) is given twice; line \(first.location.line) has it already"))
        }
        switch value.kind {
        case .scalar(let text, _):
            add(text, isNull: value.kind.isNull, to: option, at: value.location)
        case .sequenceStart where option.mayRepeat:
            try readList(of: option)
        default:
            problems.append(
                problem(
                    at: value.location,
                    "\(name): expected \(option.mayRepeat ? "values" : "one value")"))
            try skipRest(of: value)
        }
    }

    private mutating func readList(of option: Option) throws(Diagnostic) {
        while let item = try reader.next(), item.kind != .sequenceEnd {
            if case .scalar(let text, _) = item.kind {
                add(text, isNull: item.kind.isNull, to: option, at: item.location)
            } else {
                problems.append(problem(at: item.location, "\(option.name): expected a value"))
                try skipRest(of: item)
            }
        }
    }

    private mutating func add(
        _ text: String, isNull: Bool, to option: Option, at location: SourceLocation
    ) {
        if isNull {
            problems.append(
                problem(
                    at: location,
                    "\(option.name) has no value; expected \(option.placeholder ?? "true or false")"
                ))
            return
        }
        guard option.placeholder == nil else {
            settings.append(Setting(option: option.name, value: text, location: location))
            return
        }
        switch text {
        case "true":
            settings.append(Setting(option: option.name, value: "", location: location))
        case "false":
            break
        default:
            problems.append(
                problem(at: location, "\(option.name) \(text): expected true or false"))
        }
    }

    /// Nothing inside is looked at. Not recursive: the file decides how deep it nests.
    private mutating func skipRest(of value: YAMLReader.Event) throws(Diagnostic) {
        var depth = value.kind.nesting
        while depth > 0, let event = try reader.next() { depth += event.kind.nesting }
    }

    private func unknown(_ name: String, at location: SourceLocation) -> Diagnostic {
        if options.contains(where: { $0.name == name }) {
            return problem(at: location, "\(name) is for the command line only")
        }
        let known = options.filter { !$0.isForCommandLineOnly }.map(\.name)
        let hint = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
        return problem(
            at: location,
            "unknown setting \(name); there are: \(known.sorted().joined(separator: ", "))\(hint)")
    }

    private func problem(at location: SourceLocation, _ message: String) -> Diagnostic {
        Diagnostic(.error, at: location, message)
    }
}
