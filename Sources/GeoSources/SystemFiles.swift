package import Geography

/// Where autonomous systems may be read: a location database and those beside it, by what their
/// types say. Nothing is read before somebody asks.
package struct SystemFiles: Sendable {
    /// The location database.
    var location = ""
    /// One of its first records is in an autonomous system.
    var isSeenInLocation = false
    /// Nil: there is only the location database itself.
    private let directory: String?
    private var files: [(path: String, type: String)] = []

    init(directory: String? = nil) { self.directory = directory }

    mutating func add(_ path: String, databaseType: String) {
        files.append((path, databaseType.lowercased()))
    }

    /// Databases of systems, or else of Internet providers, which hold them and more.
    private var ofSystems: [String] {
        let exact = files.filter { $0.type.contains("asn") }
        return (exact.isEmpty ? files.filter { $0.type.contains("isp") } : exact).map(\.path)
    }

    /// Whether `autonomousSystems` is likely to have an answer.
    package var isPromising: Bool { isSeenInLocation || !ofSystems.isEmpty }

    /// Of the database whose type says that it is one of them, else of the location database
    /// itself, else of one whose type says nothing.
    package func autonomousSystems() throws(NoAutonomousSystems) -> AutonomousSystems {
        do throws(GeoSourceError) {
            return try read()
        } catch {
            throw .notTold("\(error)")
        }
    }

    private func read() throws(GeoSourceError) -> AutonomousSystems {
        let ofSystems = ofSystems
        guard ofSystems.count <= 1 else { throw ambiguous(ofSystems) }
        if let file = ofSystems.first {
            let systems = try AutonomousSystems(path: file)
            guard !systems.isEmpty else { throw GeoSourceError(file, .noSystems) }
            return systems
        }
        let own = try AutonomousSystems(path: location)
        if !own.isEmpty { return own }
        var found: [(path: String, systems: AutonomousSystems)] = []
        for file in files where file.path != location {
            let systems = try AutonomousSystems(path: file.path)
            if !systems.isEmpty { found.append((file.path, systems)) }
        }
        guard found.count <= 1 else { throw ambiguous(found.map(\.path)) }
        guard let only = found.first else {
            throw GeoSourceError(directory ?? location, .noSystems)
        }
        return only.systems
    }

    private func ambiguous(_ paths: [String]) -> GeoSourceError {
        let names = paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        return GeoSourceError(directory ?? "", .ambiguousSystems(names))
    }
}

extension AutonomousSystems {
    /// Reads a whole database for nothing else; without any where its records are of another kind.
    init(path: String) throws(GeoSourceError) {
        var walk = TreeWalk(try DatabaseReader(path: path), for: .systems)
        self.init(ipv4: try walk.partition(.ipv4), ipv6: try walk.partition(.ipv6))
    }
}
