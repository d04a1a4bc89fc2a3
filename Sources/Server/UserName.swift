import Loader

/// Who somebody at the control socket is, as the log calls them.
enum UserName {
    /// The name in /etc/passwd, else the number. Other directories are not asked: the network may
    /// be what is being mended.
    static func of(_ user: UInt32?) -> String {
        guard let user else { return "unknown" }
        guard let bytes = try? FileSystem.read("/etc/passwd") else { return "uid \(user)" }
        return find(user, in: bytes) ?? "uid \(user)"
    }

    /// In lines of passwd(5), `name:password:uid:…`.
    static func find(_ user: UInt32, in bytes: [UInt8]) -> String? {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(
                separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count > 2, !fields[0].isEmpty,
                UInt32(String(decoding: fields[2], as: UTF8.self)) == user
            else { continue }
            return String(decoding: fields[0], as: UTF8.self)
        }
        return nil
    }
}
