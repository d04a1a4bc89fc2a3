import CYAML
import Diagnostics
import Glibc
import SystemCalls

/// The events of one YAML file, as libyaml finds them; only what settings need.
struct YAMLReader {
    struct Event {
        enum Kind: Equatable {
            /// `isPlain`: without quotes.
            case scalar(String, isPlain: Bool)
            case sequenceStart, sequenceEnd
            case mappingStart, mappingEnd

            /// YAML's null (YAML 1.2 §10.3.2), also a name with nothing after it.
            var isNull: Bool {
                guard case .scalar(let text, isPlain: true) = self else { return false }
                return ["", "~", "null"].contains(text)
            }

            /// How many levels deeper the next event stands.
            var nesting: Int {
                switch self {
                case .scalar: 0
                case .sequenceStart, .mappingStart: 1
                case .sequenceEnd, .mappingEnd: -1
                }
            }
        }

        var kind: Kind
        var location: SourceLocation
    }

    /// libyaml's parser has to stay where it is, and the file open, while events are taken.
    @safe private final class Parser {
        let parser: UnsafeMutablePointer<yaml_parser_t>
        let file: UnsafeMutablePointer<FILE>

        init(_ path: String) throws(Errno) {
            guard let file = unsafe fopen(path, "re") else { throw Errno(errno) }
            unsafe self.file = unsafe file
            unsafe parser = .allocate(capacity: 1)
            // It fails without memory only, and so does all of this process then.
            let isReady = unsafe yaml_parser_initialize(parser) == 1
            precondition(isReady)
            unsafe yaml_parser_set_input_file(parser, file)
        }

        deinit {
            unsafe yaml_parser_delete(parser)
            unsafe parser.deallocate()
            unsafe fclose(file)
        }
    }

    private let name: String
    private let parser: Parser

    init(_ path: String) throws(Errno) {
        name = path
        parser = try Parser(path)
    }

    /// Nil at the end. Throws where the text is not YAML, or more of YAML than settings need.
    mutating func next() throws(Diagnostic) -> Event? {
        while true {
            var event = unsafe yaml_event_t()
            guard unsafe yaml_parser_parse(parser.parser, &event) == 1 else { throw failure }
            defer { unsafe yaml_event_delete(&event) }
            let location = location(unsafe event.start_mark)
            // SAFETY: a field of the union is read only after `type` says that it is there; the
            // bytes are copied before the event is deleted.
            switch unsafe event.type {
            case YAML_SCALAR_EVENT:
                let scalar = unsafe event.data.scalar
                let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
                let text = unsafe String(decoding: bytes, as: UTF8.self)
                let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
                return Event(kind: .scalar(text, isPlain: isPlain), location: location)
            case YAML_SEQUENCE_START_EVENT:
                return Event(kind: .sequenceStart, location: location)
            case YAML_SEQUENCE_END_EVENT: return Event(kind: .sequenceEnd, location: location)
            case YAML_MAPPING_START_EVENT: return Event(kind: .mappingStart, location: location)
            case YAML_MAPPING_END_EVENT: return Event(kind: .mappingEnd, location: location)
            case YAML_ALIAS_EVENT:
                throw Diagnostic(
                    .error, at: location,
                    "an alias; settings are written out where they stand")
            case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return nil
            default: continue  // Starts and ends of stream and documents.
            }
        }
    }

    private func location(_ mark: yaml_mark_t) -> SourceLocation {
        SourceLocation(file: name, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    private var failure: Diagnostic {
        // SAFETY: constants of the library, or null.
        let problem = unsafe parser.parser.pointee.problem.map { unsafe String(cString: $0) }
        let mark = unsafe parser.parser.pointee.problem_mark
        return Diagnostic(.error, at: location(mark), "not YAML: \(problem ?? "cannot be read")")
    }
}
