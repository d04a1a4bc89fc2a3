/// Files of data that a load reads besides zone files: rows of maps, round-trip times, geofeeds,
/// location databases. Each with its stamp from just before it was read, so that whatever changes
/// later is seen to have changed.
package final class ReadFiles {
    private(set) var files: [String: FileStamp?] = [:]
    /// Folders whose databases count, whatever they are called.
    private(set) var folders: Set<String> = []

    package init() {}

    func note(_ file: String, _ stamp: FileStamp?) { files[file] = .some(stamp) }

    func note(folder: String) {
        folders.insert(folder)
        for file in FileWatch.databases(in: folder) { note(file, FileSystem.stamp(of: file)) }
    }
}

/// Tells when files that were read are to be read again: one has changed, and all have been quiet
/// for as long as from one look at them to the next, so that nobody is in the middle of writing.
///
/// Looking is done by stamps alone. A file that is not there has none, and one that comes or goes
/// has changed.
package struct FileWatch: Sendable {
    private var files: Set<String> = []
    private var folders: Set<String> = []
    /// As they were read.
    private var known: [String: FileStamp] = [:]
    /// As they were at the last look.
    private var seen: [String: FileStamp] = [:]

    package init() {}

    package var fileCount: Int { Set(files).union(known.keys).count }

    /// The stamps of now. To be taken before a load, for `loaded`.
    package func look() -> [String: FileStamp] {
        let all = files.union(folders.flatMap { FileWatch.databases(in: $0) })
        return Dictionary(
            all.compactMap { file in FileSystem.stamp(of: file).map { (file, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// What has changed since it was read, sorted; nothing while anything is still changing.
    /// `stamps` are those of `look`.
    package mutating func changes(_ stamps: [String: FileStamp]) -> [String] {
        defer { seen = stamps }
        guard stamps != known, stamps == seen else { return [] }
        return Set(stamps.keys).union(known.keys).filter { stamps[$0] != known[$0] }.sorted()
    }

    /// A load has read `read`; `before` is how the files looked before it. After one that has
    /// failed all are watched that were before: what it has not come to is taken for known, or
    /// the same failure would come back at every look.
    package mutating func loaded(
        _ read: ReadFiles, lookingBefore before: [String: FileStamp], isGood: Bool
    ) {
        let own = read.files.compactMapValues { $0 }
        if isGood {
            (files, folders, known) = (Set(read.files.keys), read.folders, own)
        } else {
            files.formUnion(read.files.keys)
            folders.formUnion(read.folders)
            known = before.merging(own) { _, new in new }
        }
        // Databases come by their folder: one that has gone is not missed for ever.
        files = files.filter { file in !folders.contains { file.hasPrefix($0 + "/") } }
        seen = known
    }

    static func databases(in folder: String) -> [String] {
        let names = (try? FileSystem.names(in: folder)) ?? []
        return names.filter { $0.hasSuffix(".mmdb") }.map { "\(folder)/\($0)" }
    }
}
