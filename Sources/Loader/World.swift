import Addressing
package import DNSWire
package import Diagnostics
package import Geography
package import Health
package import Responder
package import Steering
import Tables
import ZoneFile
package import Zones

/// All that was loaded together: zones and their steering, ready to be combined with health.
package struct World: Sendable {
    /// What `geodnsctl status` shows of a zone.
    package struct ZoneSummary: Sendable {
        package var origin: DomainName
        package var serial: UInt32
        package var file: String
        package var recordCount: Int
        package var geoCount: Int
    }

    package let zones: ZoneTable
    package let plan: SteeringPlan
    package let summaries: [ZoneSummary]
    /// Of zones and places.
    package let epoch: Epoch
    /// What the workers count of it.
    package let tally: AnswerTally

    init(zones: ZoneTable, plan: SteeringPlan, summaries: [ZoneSummary], epoch: Epoch) {
        self.zones = zones
        self.plan = plan
        self.summaries = summaries
        self.epoch = epoch
        tally = AnswerTally(slotCount: plan.slotCount)
    }

    /// What is served under `health`; `probes[i]` names the plan's probe i there. The endpoints in
    /// `forcedDown` count as down whatever their checks say, those in `drained` as drained; those
    /// in `held` are kept out, those in `ramping` get that percentage of their clients; what
    /// operators have ordered beats all; `spill` hands clients on among what is up then. `epoch`
    /// tells of all that; nil: of the world alone.
    package func snapshot(
        _ health: HealthTable, probes: [ProbeIdentifier], forcedDown: Set<Int> = [],
        drained: Set<Int> = [], held: Set<SteeringPlan.Hold> = [],
        ramping: [SteeringPlan.Ramp: UInt32] = [:],
        overrides: OverrideEffects = OverrideEffects(), spill: Spill.Shares = Spill.Shares(),
        epoch: Epoch? = nil
    ) -> Snapshot {
        Snapshot(
            zones: zones,
            answers: AnswerTable(
                plan, health: health, probes: probes, forcedDown: forcedDown, drained: drained,
                held: held, ramping: ramping, overrides: overrides, spill: spill),
            epoch: epoch ?? self.epoch, tally: tally)
    }

    /// The same zones under another plan for the same names.
    package func steered(by plan: SteeringPlan) -> World {
        World(zones: zones, plan: plan, summaries: summaries, epoch: epoch)
    }
}

/// Reads zone files and builds a `World` of them, or says everything that is wrong with them.
package enum ZoneLoader {
    /// `path` is a folder, of which every `*.zone` file is read, or one zone file. The file's name
    /// without `.zone` is the zone's name.
    ///
    /// The world is nil when any error was found; warnings come with a world. With `keepsLines` it
    /// knows where policies are written, for accounts of single answers. `noted` is told of the
    /// files of data that zones name.
    package static func load(
        _ path: String, source: some LocationSource, keepsLines: Bool = false,
        noting noted: ReadFiles? = nil
    ) -> (world: World?, diagnostics: [Diagnostic]) {
        let files: [String]
        do throws(FileError) {
            files = try zoneFiles(at: path)
        } catch {
            let hint = error.isMissing ? "; expected a folder of NAME.zone files" : ""
            return (nil, [Diagnostic(.error, at: nil, "\(error)\(hint)")])
        }
        guard !files.isEmpty else {
            return (
                nil,
                [
                    Diagnostic(
                        .error, at: nil,
                        "no zone file in \(path); a zone example.com is read from example.com.zone")
                ]
            )
        }
        var drafts: [ZoneDraft] = []
        var diagnostics: [Diagnostic] = []
        var digest = Digest()
        for file in files {
            let (draft, problems) = read(file, &digest, noting: noted)
            diagnostics += problems
            if let draft { drafts.append(draft) }
        }
        let (world, problems) = build(
            &drafts, files: files, source: source, fingerprint: digest.value,
            keepsLines: keepsLines)
        diagnostics += problems
        if let world { diagnostics += unmetExpectations(of: world, files: files, source: source) }
        return (diagnostics.hasErrors ? nil : world, diagnostics.sortedByLocation)
    }

    /// Of the file beside each zone file, `example.com.expect` for `example.com.zone`, if there is
    /// one.
    private static func unmetExpectations(
        of world: World, files: [String], source: some LocationSource
    ) -> [Diagnostic] {
        files.filter { $0.hasSuffix(".zone") }.map { $0.dropLast(5) + ".expect" }
            .filter { (try? FileSystem.isDirectory($0)) == false }
            .flatMap { file -> [Diagnostic] in
                // Without places nobody gets what is expected.
                guard source.places.count > 1 else {
                    return [
                        Diagnostic(
                            .warning, at: SourceLocation(file: file, line: 1, column: 1),
                            "not looked at: there is no location database")
                    ]
                }
                return unmetExpectations(of: world, in: file)
            }
    }

    /// Every line of `file` that is not as `world` answers, or that cannot be read.
    package static func unmetExpectations(of world: World, in file: String) -> [Diagnostic] {
        do throws(FileError) {
            let (expectations, problems) = Expectation.parse(
                try FileSystem.read(file), file: file)
            return problems + world.failures(of: expectations)
        } catch {
            return [Diagnostic(.error, at: nil, "\(error)")]
        }
    }

    /// From zone files in memory, for tests and tools: name of the zone and text. `files`: what
    /// they name.
    package static func load(
        zones: [(origin: String, text: String)], source: some LocationSource,
        files: [String: String] = [:], keepsLines: Bool = false
    ) -> (world: World?, diagnostics: [Diagnostic]) {
        var drafts: [ZoneDraft] = []
        var diagnostics: [Diagnostic] = []
        var digest = Digest()
        for zone in zones {
            guard let origin = DomainName(zone.origin) else {
                diagnostics.append(Diagnostic(.error, at: nil, "\(zone.origin) is no domain name"))
                continue
            }
            digest.add(zone.origin)
            digest.add(zone.text)
            let (draft, problems) = ZoneFileParser.parse(
                Array(zone.text.utf8), file: zone.origin + ".zone", origin: origin
            ) { name in
                files[name].map { text in
                    digest.add(text)
                    return Array(text.utf8)
                }
            }
            drafts.append(draft)
            diagnostics += problems
        }
        let (world, problems) = build(
            &drafts, files: zones.map { $0.origin + ".zone" }, source: source,
            fingerprint: digest.value, keepsLines: keepsLines)
        diagnostics += problems
        return (diagnostics.hasErrors ? nil : world, diagnostics.sortedByLocation)
    }

    private static func zoneFiles(at path: String) throws(FileError) -> [String] {
        guard try FileSystem.isDirectory(path) else { return [path] }
        let directory = path.hasSuffix("/") ? path : path + "/"
        return try FileSystem.names(in: path).filter { $0.hasSuffix(".zone") }.map {
            directory + $0
        }
    }

    /// `digest` takes in the zone's name, and what is read.
    private static func read(
        _ file: String, _ digest: inout Digest, noting noted: ReadFiles?
    ) -> (draft: ZoneDraft?, diagnostics: [Diagnostic]) {
        var name = file.split(separator: "/").last.map(String.init) ?? file
        if name.hasSuffix(".zone") { name.removeLast(5) }
        guard let origin = name == "root" ? DomainName.root : DomainName(name) else {
            return (
                nil,
                [
                    Diagnostic(
                        .error, at: SourceLocation(file: file, line: 1, column: 1),
                        "the file is named after its zone, and \(name) is no domain name; "
                            + "rename it, such as example.com.zone")
                ]
            )
        }
        do throws(FileError) {
            let bytes = try FileSystem.read(file)
            digest.add(origin.description)
            digest.add(bytes.span)
            // Of all that is read, for which of it is data is known only afterwards.
            let stamps = ReadFiles()
            let (draft, problems) = ZoneFileParser.parse(bytes, file: file, origin: origin) {
                stamps.note($0, FileSystem.stamp(of: $0))
                guard let included = try? FileSystem.read($0) else { return nil }
                digest.add(included.span)
                return included
            }
            for file in draft.dataFiles {
                if let stamp = stamps.files[file] { noted?.note(file, stamp) }
            }
            return (draft, problems)
        } catch {
            return (nil, [Diagnostic(.error, at: nil, "\(error)")])
        }
    }

    /// Checks go on past the first error, so that one run reports everything.
    private static func build(
        _ drafts: inout [ZoneDraft], files: [String], source: some LocationSource,
        fingerprint: UInt64, keepsLines: Bool
    ) -> (world: World?, diagnostics: [Diagnostic]) {
        let (table, zoneProblems) = ZoneTableBuilder.build(&drafts)
        let (networks, systemProblems) = networks(ofSystemsIn: drafts, source)
        let (plan, steeringProblems) = SteeringPlanBuilder.build(
            drafts, table: table, source: source, systemNetworks: networks,
            keepsLines: keepsLines)
        let diagnostics = zoneProblems + systemProblems + steeringProblems
        guard let plan, !diagnostics.hasErrors else { return (nil, diagnostics) }
        let summaries = zip(drafts, files).map { draft, file in
            World.ZoneSummary(
                origin: draft.origin, serial: table.serial(of: draft.origin) ?? 0,
                file: file, recordCount: draft.recordCount, geoCount: draft.geos.count)
        }
        let epoch = Epoch(
            zones: fingerprint, places: source.fingerprint ^ digest(ofSystems: networks))
        return (
            World(zones: table, plan: plan, summaries: summaries, epoch: epoch), diagnostics
        )
    }

    /// 0 where there are none.
    private static func digest(ofSystems networks: [UInt32: [Prefix]]) -> UInt64 {
        guard !networks.isEmpty else { return 0 }
        var digest = Digest()
        for (number, prefixes) in networks.sorted(by: { $0.key < $1.key }) {
            digest.add(UInt64(number))
            for prefix in prefixes { digest.add("\(prefix)") }
        }
        return digest.value
    }

    /// The networks of the autonomous systems that maps name. Where none do, nobody asks for them.
    private static func networks(
        ofSystemsIn drafts: [ZoneDraft], _ source: some LocationSource
    ) -> (networks: [UInt32: [Prefix]], diagnostics: [Diagnostic]) {
        let named = drafts.flatMap { draft in
            draft.mapLines.compactMap { line -> (number: UInt32, location: SourceLocation)? in
                guard case .asn(let number) = line.value.selector else { return nil }
                return (number, line.location)
            }
        }
        guard let first = named.first else { return ([:], []) }
        do throws(NoAutonomousSystems) {
            let networks = try source.autonomousSystems().networks(of: Set(named.map(\.number)))
            let unknown = named.filter { networks[$0.number] == nil }.map { line in
                Diagnostic(
                    .warning, at: line.location,
                    "AS\(line.number) has no network in the database of autonomous systems: this "
                        + "line is for nobody")
            }
            return (networks, unknown)
        } catch {
            switch error {
            case .noDatabase:
                let what = "there is no location database: `asn=` is for nobody"
                return ([:], [Diagnostic(.warning, at: first.location, what)])
            case .notTold(let why):
                let what = "`asn=` cannot be told: \(why)"
                return ([:], [Diagnostic(.error, at: first.location, what)])
            }
        }
    }
}
