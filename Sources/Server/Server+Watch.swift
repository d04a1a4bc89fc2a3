import Health
import Loader

// Files of data that change are read again without being told.
extension Server {
    /// When to look again; nil: never.
    var nextLook: MonotonicTime? {
        settings.watchSeconds.map { lastLook + .seconds($0) }
    }

    /// Looks at the files when it is time to, and reloads when one has changed and all are quiet.
    func lookAtFiles() {
        let now = MonotonicTime.now()
        guard let nextLook, nextLook <= now else { return }
        lastLook = now
        let changed = watch.changes(watch.look())
        guard let first = changed.first else { return }
        let name = first.split(separator: "/").last.map(String.init) ?? first
        let others = changed.count > 1 ? " and \(changed.count - 1) more" : ""
        log.write(.info, "reload", "\(name)\(others) changed: reloading", [("file", first)])
        reload(isForced: false)
    }

    var watchSummary: String {
        guard let seconds = settings.watchSeconds else { return "nothing" }
        return "\(watch.fileCount) \(watch.fileCount == 1 ? "file" : "files"), every \(seconds) s"
    }
}
