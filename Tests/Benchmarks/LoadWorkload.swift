import TestSupport

/// Many names to load: one zone of a million, and ten thousand zones of ten.
enum LoadWorkload {
    static let bigZone = "big.example"
    static let bigCount = 1_000_000
    static let zoneCount = 10_000

    /// The folders `one` and `many`.
    static func write(to folder: TemporaryFolder) throws {
        try folder.write(Array(zone(nameCount: bigCount).utf8), to: "one/\(bigZone).zone")
        for number in 0..<zoneCount {
            try folder.write(zone(nameCount: 8), to: "many/\(smallZone(number)).zone")
        }
    }

    private static func smallZone(_ number: Int) -> String { "z\(number).example" }

    /// So many names with an address each, and two name servers.
    static func zone(nameCount: Int) -> String {
        var text = Workload.head
        for number in 0..<nameCount {
            text += "h\(number) 300 A 198.51.\(number % 100).\(number % 250 + 1)\n"
        }
        return text
    }

    /// Reads the zones of a folder as text, without journals, and serves them on loopback.
    static func knotConfiguration(folder: String, zones: String, port: UInt16) -> String {
        let names = zones == "one" ? [bigZone] : (0..<zoneCount).map(smallZone)
        return """
            server:
                rundir: \(folder)/knot
                listen: 127.0.0.1@\(port)
                udp-workers: 1
                tcp-workers: 1
                background-workers: 1
            log:
              - target: stderr
                any: warning
                server: info
            database:
                storage: \(folder)/knot
            template:
              - id: default
                storage: \(folder)/\(zones)
                file: "%s.zone"
                journal-content: none
            zone:

            """ + names.map { "  - domain: \($0)\n" }.joined()
    }
}
