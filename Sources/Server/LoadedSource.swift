import Diagnostics
import GeoSources
import Geography
import Loader

/// The location database in use, or none: then every client's place is unknown, and names answer
/// in the order their targets are written.
enum LoadedSource: Sendable {
    case none
    case database(MaxMindDatabase)

    init(_ path: String?) throws(GeoSourceError) {
        guard let path else {
            self = .none
            return
        }
        self = .database(try MaxMindDatabase.load(path: path))
    }

    func loadZones(_ path: String) -> (world: World?, diagnostics: [Diagnostic]) {
        switch self {
        case .none: ZoneLoader.load(path, source: MemoryLocationSource([]))
        case .database(let database): ZoneLoader.load(path, source: database)
        }
    }
}
