import Diagnostics
import GeoSources
import Geography
import Loader
import Steering

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

    /// Takes a walk through the whole database.
    func partition(_ clients: Set<Override.Clients>) -> ClientPartition? {
        guard !clients.isEmpty else { return nil }
        return switch self {
        case .none: ClientPartition(clients, source: MemoryLocationSource([]))
        case .database(let database): ClientPartition(clients, source: database)
        }
    }

    func loadZones(_ path: String) -> (world: World?, diagnostics: [Diagnostic]) {
        switch self {
        case .none: ZoneLoader.load(path, source: MemoryLocationSource([]))
        case .database(let database): ZoneLoader.load(path, source: database)
        }
    }
}
