import Geography
import Glibc

extension MaxMindDatabase {
    /// Opens the location database that `path` means: the file itself, or the one in a directory.
    ///
    /// In a directory, a City database goes before a Country database, and that before one whose
    /// type says neither; two of one rank are ambiguous. Databases of other things (anonymous
    /// addresses …) are ignored, those of autonomous systems until somebody asks for them.
    package static func load(path: String) throws(GeoSourceError) -> MaxMindDatabase {
        let (file, systemFiles) =
            isDirectory(path) ? try chooseDatabase(in: path) : (path, SystemFiles())
        let database = try MaxMindDatabase(path: file, systemFiles: systemFiles)
        guard database.places.count > 1 else {
            throw GeoSourceError(
                file, .noPlaces(databaseType: database.metadata.databaseType))
        }
        return database
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func chooseDatabase(
        in directory: String
    ) throws(GeoSourceError) -> (String, SystemFiles) {
        var best: [String] = []
        var bestRank = Rank.anyType
        var others: [String] = []
        var systemFiles = SystemFiles(directory: directory)
        for name in try databaseNames(in: directory) {
            let type = try DatabaseReader(path: "\(directory)/\(name)").databaseType
            systemFiles.add("\(directory)/\(name)", databaseType: type)
            guard let rank = Rank(databaseType: type) else {
                others.append("\(name) (\(type))")
                continue
            }
            if best.isEmpty || rank < bestRank {
                best = [name]
                bestRank = rank
            } else if rank == bestRank {
                best.append(name)
            }
        }
        guard let name = best.first else {
            throw GeoSourceError(directory, .noDatabase(others: others))
        }
        guard best.count == 1 else { throw GeoSourceError(directory, .ambiguous(best)) }
        return ("\(directory)/\(name)", systemFiles)
    }

    /// Names that end in `.mmdb`, sorted; hidden ones are somebody's unfinished download.
    private static func databaseNames(in directory: String) throws(GeoSourceError) -> [String] {
        guard let stream = unsafe opendir(directory) else {
            throw GeoSourceError(directory, .systemError())
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            // SAFETY: d_name is a terminated string inside the entry, valid until the next call.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 1) {
                    unsafe String(cString: $0)
                }
            }
            if name.hasSuffix(".mmdb"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}

/// Which of several location databases to take, best first.
private enum Rank: Int, Comparable {
    case city
    case country
    case anyType

    /// Nil for a database of something else than places.
    init?(databaseType: String) {
        let type = databaseType.lowercased()
        func mentions(_ words: String...) -> Bool { words.contains { type.contains($0) } }
        if mentions("city", "enterprise", "location") {
            self = .city
        } else if mentions("country") {
            self = .country
        } else if mentions("asn", "isp", "anonymous", "connection", "domain", "proxy", "privacy") {
            return nil
        } else {
            self = .anyType
        }
    }

    static func < (left: Rank, right: Rank) -> Bool { left.rawValue < right.rawValue }
}
