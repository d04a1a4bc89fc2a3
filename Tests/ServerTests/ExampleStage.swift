import Foundation
import TestSupport

/// Where the commands of a page are carried out: a folder with the files that they speak of, and
/// servers behind the addresses that they speak of.
///
/// Every page is one session of bash, its commands one after the other as they stand there. What a
/// test cannot have as it is written stands in these tables, and nowhere else.
final class ExampleStage {
    /// What a page shows, what the test takes for it, and shows it as again.
    struct StandIn {
        var shown: String
        var used: String
        var shownAgain: String

        init(_ shown: String, _ used: String, as again: String? = nil) {
            self.shown = shown
            self.used = used
            shownAgain = again ?? shown
        }
    }

    /// Commands that end with another status than 0, by how they begin.
    static let statuses: [(begin: String, status: Int32, why: String)] = [
        ("geodns-check --server 192.0.2.53 --server", 1, "one of the servers differs"),
        ("geodns-check --down fra --demand", 1, "a region gets more than it can carry"),
        ("geodnsctl drain nrt iad", 1, "a safety rule refuses it"),
        ("geodnsctl reload                                    # nrt", 1, "too many would move"),
        ("geodns-check --each --demand", 1, "the others cannot take over every failure"),
        ("geodns-check --zones my-zones --geo-data none     # broken", 1, "the zone has an error"),
    ]

    /// What has to be done before a command, by how that begins.
    static let preparations: [(begin: String, script: String, why: String)] = [
        (
            "geodns-check --state", "geodnsctl drain nrt --for 2h --reason 'kernel update'",
            "the page shows the account of an order"
        ),
        (
            "geodns-check --server 192.0.2.53 --server", "geodnsctl undrain nrt",
            "and goes on without"
        ),
        ("zcat resolvers.gz", "gzip --keep resolvers", "somebody's log"),
        (
            "geodnsctl drain nrt iad", "export CONTROL=$OTHER_CONTROL",
            "it is given to a server with the rule"
        ),
        (
            "geodnsctl reload                                    # nrt",
            "sed -i 's/GEO nearest iad fra nrt/GEO nearest iad fra/' \"$ZONES\"/*.zone",
            "somebody's mistake"
        ),
    ]

    /// Commands that cannot be run here, by how they begin.
    static let notRun: [(begin: String, why: String)] = [
        ("geodnsd --listen 192.0.2.53 --listen 2001:db8::53 --xdp", "it wants a network card"),
        ("geodnsctl status                      # xdp", "it shows that server"),
    ]

    let folder: TemporaryFolder
    let standIns: [StandIn]
    /// For as long as the stage stands.
    private let servers: [TestServer]
    private let door: ScriptedDoor

    /// The worked example, with front doors on loopback and under the name that the pages use.
    /// Regions have no IPv6 front doors here: loopback has one address of that family.
    private static func zone(port: UInt16) throws -> String {
        try String(
            contentsOfFile: Programs.packageFolder + "/zones/gslb.example.com.zone", encoding: .utf8
        )
        .split(separator: "\n", omittingEmptySubsequences: false)
        .filter { !$0.contains("AAAA") }.joined(separator: "\n")
        .replacing("gslb.example.com", with: "gslb.example.org")
        .replacing("https /healthz host=app.example.com", with: "http /healthz port=\(port)")
        .replacing(
            "every=10s fast=2s timeout=3s fall=3", with: "every=3s fast=100ms timeout=3s fall=2"
        )
        .replacing("A     198.51.100.", with: "A     127.0.9.")
    }

    init(_ page: String) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        let tree = Programs.packageFolder
        let files = FileManager.default
        for name in ["Makefile", "docs", "zones", "geo-data", "packaging"] {
            try files.createSymbolicLink(
                atPath: "\(folder.path)/\(name)", withDestinationPath: "\(tree)/\(name)")
        }
        // Looking at all 660,000 networks of the real database takes a debug build minutes. Pages
        // that name it get it: here as the symbolic link above.
        let world = try database(
            [
                ("133.0.0.0/8", "JP", "AS", 35.65, 139.74),
                ("141.0.0.0/8", "DE", "EU", 52.5, 13.37),
                ("8.0.0.0/7", "US", "NA", 41.85, -87.65),
            ], type: "geodns-World-Country")
        let worldFile = try folder.write(world, to: "etc/geodns/geo-data/world.mmdb")
        try folder.write(world, to: "new.mmdb")
        door = try ScriptedDoor("0.0.0.0")
        let zone = try ExampleStage.zone(port: door.port)
        let partners = try String(contentsOfFile: tree + "/zones/partners.csv", encoding: .utf8)
        for place in ["etc/geodns/zones", "new/zones"] {
            try folder.write(partners, to: place + "/partners.csv")
        }
        if page == "README.md" {
            // The zone that the page itself shows.
            try folder.write(
                try ExampleStage.block(of: page, after: "gslb.example.org.zone"),
                to: "etc/geodns/zones/gslb.example.org.zone")
        } else {
            try folder.write(zone, to: "etc/geodns/zones/gslb.example.org.zone")
        }
        try folder.write(
            zone.replacing("country=ZA      nrt fra iad", with: "country=LS      nrt fra iad"),
            to: "new/zones/gslb.example.org.zone")
        // A demand that Frankfurt cannot give away, measurements that distance does not know, and
        // resolvers in Tokyo and Frankfurt.
        try folder.write(
            "133.0.0.0/8,200\n141.2.0.0/16,300\n8.8.8.0/24,150\n", to: "demand.csv")
        try folder.write(
            "133.11.0.0/16,nrt,140\n133.11.0.0/16,iad,95\n141.2.0.0/16,fra,8\n", to: "rtt.csv")
        try folder.write("133.11.0.1\n141.2.1.0/24\n", to: "resolvers")
        try folder.write(
            "prefix,continent,country,subdivision,city,latitude,longitude,asn\n"
                + "10.20.0.0/16,EU,DE,DE-HE,Frankfurt,50.11,8.68,64500\n", to: "own.csv")
        // As Debian's tor-geoipdb has them.
        try folder.write("2231042048,2231107583,JP\n", to: "tor/geoip")
        try folder.write("2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,JP\n", to: "tor/geoip6")

        var servers: [TestServer] = []
        func serve(_ text: String, _ arguments: String...) throws -> TestServer {
            let state = "\(folder.path)/state\(servers.count)"
            try files.createDirectory(atPath: state, withIntermediateDirectories: false)
            let server = try TestServer(
                zones: [("gslb.example.org.zone", text), ("partners.csv", partners)],
                geoData: worldFile,
                arguments: ["--state", state, "--epoch-to", "127.0.0.0/8"] + arguments)
            servers.append(server)
            return server
        }
        var standIns: [StandIn] = []
        if ["docs/operations.md", "docs/health.md", "docs/overrides.md"].contains(page) {
            let old = zone.replacing("2026112001", with: "2026112000")
                .replacing("127.0.9.30", with: "127.0.9.40")
            let both = [
                try serve(zone, "--max-moved", "5%"), try serve(old, "--minimum-regions", "2"),
            ]
            for (shown, server) in zip(["192.0.2.53", "198.51.100.53"], both) {
                standIns.append(
                    StandIn(shown, "127.0.0.1@\(server.port)", as: shown + "@53"))
            }
        }
        if page == "docs/health.md" {
            door.behave(then: .answer(status: 503))
            _ = eventually(seconds: 60) {
                // The region that the page shows, of which others may go before or after.
                (try? servers[0].control("events").text.contains("down target=iad")) == true
            }
        }
        standIns += [
            StandIn("198.51.100.1@443", "127.0.0.1@\(door.port)"),
            StandIn("'ping 192.0.2.1'", "'tcp 127.0.0.1@\(door.port)'"),
            StandIn("'dns 203.0.113.53'", "'dns 127.0.0.1@\(door.port)'"),
            StandIn("198.51.100.", "127.0.9."),
            StandIn("the port of a front door", "\(door.port)", as: "80"),
            StandIn("by root", "by \(NSUserName())"),
            StandIn("/usr/share/tor/", folder.path + "/tor/"),
            StandIn("geo-data/world-country.mmdb", "small.mmdb"),
            StandIn("/etc/geodns", folder.path + "/etc/geodns"),
            StandIn("/var/lib/geodns", folder.path + "/state0"),
        ]
        self.servers = servers
        self.standIns = standIns
    }

    /// The block of a page that follows the first line with `word`.
    static func block(of page: String, after word: String) throws -> String {
        let text = try String(contentsOfFile: Programs.packageFolder + "/" + page, encoding: .utf8)
        let lines = text.components(separatedBy: "\n")
        let start = lines.firstIndex { $0.contains(word) } ?? lines.endIndex
        return lines[start...].drop { $0 != "```" }.dropFirst().prefix { $0 != "```" }
            .map { $0 + "\n" }.joined()
    }

    // MARK: - Programs

    /// Makes the programs of the package with the stage's own files where a command does not say,
    /// for a test cannot have `/etc/geodns` and `/run/geodns`. A server runs until it is ready,
    /// `--follow` until something has come.
    ///
    /// The session writes them itself: no process that another test starts meanwhile can hold such
    /// a file open for writing, with which it could not be run (ETXTBSY).
    private var programs: String {
        let defaults = """
            #!/usr/bin/env bash
            words=()
            default() { [[ " $all " == *" $1"* ]] || words+=("$1" "$2"); }
            all="$*"

            """
        let places = """
            default --zones '\(folder.path)/etc/geodns/zones'
            default --geo-data '\(folder.path)/etc/geodns/geo-data'

            """
        let untilOutput = """
            log=$(mktemp --tmpdir='\(folder.path)')
            "$program" "${words[@]}" "$@" > "$log" 2>&1 &
            for ((turn = 0; turn < 3000; turn++)); do
                ! grep -q "$sign" "$log" && kill -0 $! 2> /dev/null || break
                sleep 0.02
            done
            kill $! && wait $!
            status=$?
            cat "$log"

            """
        let programs = [
            "geodns-check": defaults + places + """
                exec '\(Programs.own("geodns-check"))' "${words[@]}" "$@"
                """,
            "geodns-mmdb": "#!/usr/bin/env bash\nexec '\(Programs.own("geodns-mmdb"))' \"$@\"\n",
            "geodnsd": defaults + places + """
                program='\(Programs.own("geodnsd"))'
                [[ " $all " != *' --check '* ]] || exec "$program" "${words[@]}" "$@"
                default --listen 127.0.0.1@0
                default --control '\(folder.path)/other.sock'
                sign=' ready'
                """ + "\n" + untilOutput + "exit $status\n",
            "geodnsctl": defaults + """
                default --control "$CONTROL"
                program='\(Programs.own("geodnsctl"))'
                [[ " $all " == *' --follow '* ]] || exec "$program" "${words[@]}" "$@"
                sign=.
                """ + "\n" + untilOutput + "((status == 143))\n",
            // What is built already is installed: not the whole package once more.
            "make": """
            #!/usr/bin/env bash
            exec \(Programs.find("make") ?? "make") --old-file=build --no-print-directory \\
                BUILT='\(Programs.buildFolder)' "$@"
            """,
        ]
        return "mkdir bin\n"
            + programs.map { name, text in
                "cat > bin/\(name) << 'END OF PROGRAM'\n\(text)\nEND OF PROGRAM\n"
                    + "chmod 755 bin/\(name)\n"
            }.joined()
    }

    // MARK: - Running

    /// What each prints, and its status; nil: the session ended before.
    func run(_ examples: [Example]) throws -> [(status: Int32, text: String)?] {
        var script = """
            set -o pipefail
            cd '\(folder.path)'
            export PATH='\(folder.path)/bin':$PATH LC_ALL=C.UTF-8

            """ + programs
        for (name, server) in zip(["CONTROL", "OTHER_CONTROL"], servers) {
            script += "export \(name)='\(server.controlPath)'\n"
        }
        if let first = servers.first { script += "export ZONES='\(first.folder.path)/zones'\n" }
        for (index, example) in examples.enumerated() {
            let preparation = ExampleStage.preparations.first {
                example.command.hasPrefix($0.begin)
            }
            if let preparation { script += preparation.script + " > /dev/null\n" }
            script += "printf '\\001begin \(index)\\n'\n"
            script += standIns.reduce(example.command) {
                $0.replacing($1.shown, with: $1.used)
            }
            script += "\nprintf '\\001end \(index) %d\\n' $?\n"
        }
        let file = try folder.write(script, to: "session")
        let bash = Programs.find("bash") ?? "bash"
        let text = try RunningProcess.run(bash, [file], seconds: 600).text
        let shown = standIns.reversed().reduce(text) {
            $0.replacing($1.used, with: $1.shownAgain)
        }
        return examples.indices.map { index in
            let begin = "\u{1}begin \(index)\n"
            guard let from = shown.firstRange(of: begin)?.upperBound,
                let end = shown[from...].firstMatch(of: #/\u{1}end \d+ (\d+)\n/#),
                let status = Int32(end.1)
            else { return nil }
            return (status, String(shown[from..<end.range.lowerBound]))
        }
    }
}
