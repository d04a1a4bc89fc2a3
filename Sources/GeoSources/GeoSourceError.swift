/// Why a location database cannot be used: what happened, to which file, what to do.
package struct GeoSourceError: Error, Equatable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        /// The system's words.
        case cannotRead(String)
        case empty
        /// No metadata at the end: something else, or the first part of a database.
        case notADatabase
        /// `binary_format_major_version` is not 2.
        case unsupportedFormat
        /// What is wrong, and where.
        case corrupt(String)
        /// A sound database, of this type, in which no network has a place.
        case noPlaces(databaseType: String)
        /// A directory without a location database; the names of others seen there.
        case noDatabase(others: [String])
        /// A directory with several location databases of one kind.
        case ambiguous([String])
        /// No database there tells autonomous systems.
        case noSystems
        /// A directory with several databases of autonomous systems.
        case ambiguousSystems([String])
    }

    /// The file or directory, as the operator named it.
    package let path: String
    package let reason: Reason

    init(_ path: String, _ reason: Reason) {
        self.path = path
        self.reason = reason
    }

    package var description: String {
        "\(path): error: \(message)"
    }

    private var message: String {
        switch reason {
        case .cannotRead(let why):
            "cannot read the location database: \(why)"
        case .empty:
            "the file is empty; expected a MaxMind DB file. Copy or download it again"
        case .notADatabase:
            "no MaxMind DB metadata at the end of the file: it is something else, or was cut short. "
                + "Expected a .mmdb file; copy or download it again"
        case .unsupportedFormat:
            "this is not version 2 of the MaxMind DB format, the only one that can be read"
        case .corrupt(let what):
            "the database is damaged: \(what). Copy or download it again"
        case .noPlaces(let type):
            "no network in this database (type '\(type)') has a place; "
                + "a City or Country database is needed"
        case .noDatabase(let others):
            "no location database (.mmdb of a City or Country type) in this directory"
                + (others.isEmpty ? "" : "; ignored: \(others.joined(separator: ", "))")
                + ". Run `make geo-data`, or put one there"
        case .noSystems:
            "no network here is in an autonomous system; put a database of them (.mmdb of an ASN "
                + "type) beside the location database"
        case .ambiguousSystems(let names):
            "several databases of autonomous systems: \(names.joined(separator: ", ")). "
                + "Leave only one in the directory"
        case .ambiguous(let names):
            "several location databases: \(names.joined(separator: ", ")). "
                + "Name one of them, or leave only one in the directory"
        }
    }
}
