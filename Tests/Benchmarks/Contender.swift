import Foundation
import TestSupport

/// A server that is measured beside others, all with the same names and regions.
struct Contender {
    /// In the tables.
    var name: String
    /// Which zone its queries are for: `geo`, `static` or `many`.
    var zone: String
    var address: String
    var command: [String]
    /// An echo answers nothing that can be checked.
    var answers = true
    /// Of `BenchNetwork`; not 0: it takes frames from an interface of its own.
    var cable = 0
    /// Its threads stay on the cores that they choose. Knot's first worker takes the first core,
    /// whatever it was started on: the generator's.
    var choosesCores = false
}

/// Writes what each contender reads, into a folder of its own below `folder`.
///
/// The work is the same everywhere: a thousand names with A and AAAA. `geo`: of eight regions, the
/// nearest to the client, by the same database of 1.13 million networks. gdnsd ranks by distance,
/// as geodnsd does; Knot's module has no distances, and gets the nearest region of each country.
/// `many`: a million names with A.
struct Contenders {
    let folder: String
    let database: String
    private static let port = "53"

    func all() throws -> [Contender] {
        let makers: [(String) throws -> Contender?] = [
            echo, { try geodnsd($0, zone: "geo") }, { try gdnsd($0, zone: "geo") },
            { try knot($0, zone: "geo") }, { try geodnsd($0, zone: "static") },
            { try gdnsd($0, zone: "static") }, { try knot($0, zone: "static") },
        ]
        let overSockets = try makers.enumerated().compactMap { number, make in
            try make(BenchNetwork.serverAddress(number + 1))
        }
        return try overSockets + overFrames()
    }

    /// Those that come too near to one another for the rounds of all; and Knot as whoever starts it
    /// beside a generator meets it.
    func closest() throws -> [Contender] {
        let makers: [(String) throws -> Contender?] = [
            echo, { try geodnsd($0, zone: "geo") }, { try gdnsd($0, zone: "geo") },
            { address in
                var contender = try knot(address, zone: "geo")
                contender?.choosesCores = true
                return contender
            },
        ]
        return try makers.enumerated().compactMap { number, make in
            try make(BenchNetwork.serverAddress(number + 1))
        }
    }

    /// Those that take frames from an interface: each has a cable of its own.
    func overFrames() throws -> [Contender] {
        [
            try geodnsd(BenchNetwork.cableAddress(1), zone: "geo", cable: 1),
            try knot(BenchNetwork.cableAddress(2), zone: "geo", cable: 2),
            try geodnsd(BenchNetwork.cableAddress(3), zone: "static", cable: 3),
            try knot(BenchNetwork.cableAddress(4), zone: "static", cable: 4),
        ].compactMap { $0 }
    }

    /// Where names are too many for the caches.
    func withManyNames() throws -> [Contender] {
        [
            try geodnsd(BenchNetwork.serverAddress(1), zone: "many"),
            try gdnsd(BenchNetwork.serverAddress(2), zone: "many"),
            try knot(BenchNetwork.serverAddress(3), zone: "many"),
            try geodnsd(BenchNetwork.cableAddress(1), zone: "many", cable: 1),
            try knot(BenchNetwork.cableAddress(2), zone: "many", cable: 2),
        ].compactMap { $0 }
    }

    /// What is no matter of steering.
    private static func records(of zone: String) -> String {
        switch zone {
        case "static": Workload.staticRecords
        case "many": Workload.manyRecords
        default: ""
        }
    }

    /// geodnsd and gdnsd, each with one worker and with two.
    func withOneAndTwoWorkers() throws -> [Contender] {
        let makers: [(String) throws -> Contender?] = [1, 2].flatMap { workers in
            [
                { try geodnsd($0, zone: "geo", workers: workers) },
                { try gdnsd($0, zone: "geo", workers: workers) },
            ]
        }
        return try makers.enumerated().compactMap { number, make in
            try make(BenchNetwork.serverAddress(number + 1))
        }
    }

    private func echo(_ address: String) -> Contender? {
        Contender(
            name: "socket echo (C)", zone: "geo", address: address,
            command: [Programs.own("socket-echo"), address, Contenders.port], answers: false)
    }

    // MARK: - geodnsd

    func geodnsd(
        _ address: String, zone: String, workers: Int = 1, cable: Int = 0
    ) throws -> Contender? {
        let own = folder + "/geodnsd-\(zone)-\(workers)-\(cable)"
        let xdp = cable == 0 ? [] : ["--xdp", BenchNetwork.interface(cable)]
        let text =
            Workload.zones.first { $0.file.hasPrefix(zone) }?.text
            ?? Workload.head + Contenders.records(of: zone)
        try write(text, to: own + "/zones/\(zone).example.zone")
        return Contender(
            name: Contenders.name("geodnsd", cable), zone: zone, address: address,
            command: [
                Programs.own("geodnsd"), "--zones", own + "/zones", "--geo-data",
                zone == "geo" ? database : "none", "--listen", "\(address)@\(Contenders.port)",
                "--workers", "\(workers)", "--control", own + "/control.sock",
            ] + xdp, cable: cable)
    }

    static func name(_ server: String, _ cable: Int) -> String {
        cable == 0 ? server : server + ", AF_XDP"
    }

    // MARK: - gdnsd

    func gdnsd(_ address: String, zone: String, workers: Int = 1) throws -> Contender? {
        guard let program = Programs.find("gdnsd") else { return nil }
        let own = folder + "/gdnsd-\(zone)-\(workers)"
        for name in ["run", "state"] {
            try FileManager.default.createDirectory(
                atPath: own + "/" + name, withIntermediateDirectories: true)
        }
        let records =
            zone == "geo"
            ? Workload.names.map { "\($0) 30 DYNA geoip!www\n" }.joined()
            : Contenders.records(of: zone)
        try write(Workload.head + records, to: own + "/etc/zones/\(zone).example")
        var config = """
            options => {
              listen => [\(address)], udp_threads => \(workers), tcp_threads => 1,
              run_dir => \(own)/run, state_dir => \(own)/state,
              udp_rcvbuf => 1048576, udp_sndbuf => 1048576
            }

            """
        if zone == "geo" {
            let named = Workload.regions.map(\.name).joined(separator: ", ")
            let places = Workload.regions.map { "\($0.name) => [\($0.latitude), \($0.longitude)]" }
            let targets = Workload.regions.enumerated().map { number, region in
                "\(region.name) => { addrs_v4 => { a => 198.51.100.\(number + 1) },"
                    + " addrs_v6 => { b => 2001:db8::\(number + 1) } }"
            }
            config += """
                plugins => { geoip => {
                  maps => { world => {
                    geoip2_db => \(try databaseForGdnsd()), datacenters => [\(named)],
                    auto_dc_coords => { \(places.joined(separator: ", ")) }
                  } }
                  resources => { www => { map => world, dcmap => {
                    \(targets.joined(separator: ",\n    "))
                  } } }
                } }

                """
        }
        try write(config, to: own + "/etc/config")
        return Contender(
            name: "gdnsd", zone: zone, address: address,
            command: [program, "-c", own + "/etc", "start"])
    }

    /// gdnsd takes coordinates only from a database whose type has "City" in its name. A copy with
    /// a type of the same length.
    private func databaseForGdnsd() throws -> String {
        let path = folder + "/city.mmdb"
        if FileManager.default.fileExists(atPath: path) { return path }
        var data = try Data(contentsOf: URL(filePath: database))
        let (own, wanted) = (Data("geodns-World-Country".utf8), Data("GeoIP2-City-WorldWide".utf8))
        guard let place = data.range(of: own, options: .backwards) else {
            throw BenchNetwork.Failed(description: "\(database): of another type than expected")
        }
        data.replaceSubrange(place, with: wanted.prefix(own.count))
        try data.write(to: URL(filePath: path))
        return path
    }

    // MARK: - Knot

    private func knot(_ address: String, zone: String, cable: Int = 0) throws -> Contender? {
        guard let program = Programs.find("knotd") else { return nil }
        let own = folder + "/knot-\(zone)-\(cable)"
        try write(
            Workload.head + Contenders.records(of: zone),
            to: own + "/\(zone).example.zone")
        var config = """
            server:
                rundir: \(own)
                listen: \(address)@\(Contenders.port)
                udp-workers: 1
                tcp-workers: 1
                background-workers: 1
                edns-client-subnet: on
            \(cable == 0 ? "" : "xdp:\n    listen: \(BenchNetwork.interface(cable))@\(Contenders.port)")
            database:
                storage: \(own)

            """
        if zone == "geo" {
            try write(try knotViews(), to: own + "/geo.conf")
            config += """
                mod-geoip:
                  - id: default
                    config-file: \(own)/geo.conf
                    ttl: 30
                    mode: geodb
                    geodb-file: \(database)
                    geodb-key: [ country/iso_code ]

                """
        }
        config += """
            zone:
              - domain: \(zone).example
                file: \(own)/\(zone).example.zone

            """
        if zone == "geo" { config += "    module: mod-geoip/default\n" }
        try write(config, to: own + "/knot.conf")
        return Contender(
            name: Contenders.name("Knot DNS", cable), zone: zone, address: address,
            command: [program, "--config", own + "/knot.conf"], cable: cable)
    }

    private func knotViews() throws -> String {
        let views = try Contenders.nearestRegions().map { country, number in
            "  - geo: \"\(country)\"\n    A: 198.51.100.\(number)\n    AAAA: 2001:db8::\(number)\n"
        }.joined()
        return Workload.names.map { "\($0).geo.example:\n\(views)" }.joined()
    }

    /// Countries of tzdata's zone.tab, each by its first line, and the number of the region nearest
    /// to it.
    private static func nearestRegions() throws -> [(country: String, region: Int)] {
        let table = try String(contentsOfFile: "/usr/share/zoneinfo/zone.tab", encoding: .utf8)
        var seen: Set<Substring> = []
        var nearest: [(String, Int)] = []
        for line in table.split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split(separator: "\t")
            guard fields.count >= 3, seen.insert(fields[0]).inserted,
                let place = fields[1].wholeMatch(of: /([+-]\d\d)(\d\d).*([+-]\d{3})(\d\d).*/),
                let latitude = degrees(place.1, place.2), let longitude = degrees(place.3, place.4)
            else { continue }
            let cosines = Workload.regions.map { region in
                cosine(latitude, longitude, region.latitude, region.longitude)
            }
            if let best = cosines.indices.max(by: { cosines[$0] < cosines[$1] }) {
                nearest.append((String(fields[0]), best + 1))
            }
        }
        return nearest
    }

    private static func degrees(_ whole: Substring, _ minutes: Substring) -> Double? {
        guard let degrees = Double(whole), let minutes = Double(minutes) else { return nil }
        return degrees + (whole.hasPrefix("-") ? -minutes : minutes) / 60
    }

    /// Of the angle between two places: the nearer, the greater.
    private static func cosine(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> Double {
        let (a, b, c, d) = (a * .pi / 180, b * .pi / 180, c * .pi / 180, d * .pi / 180)
        return sin(a) * sin(c) + cos(a) * cos(c) * cos(b - d)
    }

    private func write(_ text: String, to path: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent,
            withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }
}
