import Addressing
import DNSWire
import Foundation
import TestSupport
import Testing

/// The zone and the places that the resolvers and tools are tested with.
enum TestWorld {
    static let zoneName = "gslb.example.com"

    /// Resolvers ask from these; the database places the networks around them.
    static let tokyo = "127.10.0.1"
    static let frankfurt = "127.20.0.1"

    /// No region has a CHECK: nothing is probed, so that the addresses may be those for
    /// documentation (RFC 5737, RFC 3849).
    static let zone = """
        $TTL 1h
        @         SOA    ns1 hostmaster 1 2h 30m 2w 1m
                  NS     ns1
        ns1       A      127.0.0.1
        nrt       REGION 35.76 140.39
                  A      192.0.2.30
                  AAAA   2001:db8:3::10
        fra       REGION 50.03 8.57
                  A      192.0.2.20
                  AAAA   2001:db8:2::10
        app       30     GEO nearest fra nrt
        *.wild    30     GEO nearest fra nrt
        bound     30     GEO nearest fra nrt
                  HTTPS  1 . alpn=h2,h3 port=8443
        alias     CNAME  hop
        hop       CNAME  app
        ; Two empty non-terminals stand above this one.
        a.b.deep  A      192.0.2.99
        txt       TXT    "one record"
        """ + "\n" + large("long", recordCount: 5) + large("big", recordCount: 10)
        + large("huge", recordCount: 40)

    /// TXT records of 200 letters each: five are more than 1000 bytes, ten more than 1232, forty
    /// more than 8 KB.
    private static func large(_ owner: String, recordCount: Int) -> String {
        (0..<recordCount).map { number in
            let letters = String(repeating: Character("\(number % 10)"), count: 197)
            return "\(owner) TXT \"\(String(format: "%03d", number))\(letters)\"\n"
        }.joined()
    }

    private static let places = """
        127.10.0.0/16,AS,JP,,,35.69,139.69
        127.20.0.0/16,EU,DE,,,50.11,8.68
        203.0.112.0/20,AS,JP,,,35.69,139.69
        198.51.100.0/24,EU,DE,,,50.11,8.68

        """

    /// A location database in `folder`; returns its path.
    static func database(in folder: TemporaryFolder) throws -> String {
        let input = try folder.write(places, to: "places.csv")
        let output = folder.path + "/places.mmdb"
        let (status, text) = try RunningProcess.run(
            Programs.own("geodns-mmdb"), ["from-csv", "--input", input, "--output", output])
        try #require(status == 0, "geodns-mmdb: \(text)")
        return output
    }

    /// `geodnsd` with the zone and the places, on one more address if told.
    static func server(
        alsoOn address: String? = nil, arguments: [String] = []
    ) throws -> TestServer {
        // The database is read at the start only.
        let folder = try TemporaryFolder()
        return try TestServer(
            zones: [("\(zoneName).zone", zone)], geoData: try database(in: folder),
            arguments: (address.map { ["--listen", $0] } ?? []) + arguments)
    }
}

extension TestWorld {
    /// Runs a shell in a network namespace of its own: `preparation`, then, while `geodnsd` has the
    /// zone and listens at port 5300 of 127.0.0.1, `script`. Returns what that printed.
    static func inNamespace(_ preparation: String, _ script: String) throws -> String {
        let folder = try TemporaryFolder()
        try folder.write(zone, to: "zones/\(zoneName).zone")
        let words = """
            set -eu
            cd '\(folder.path)'
            \(preparation)
            "\(Programs.own("geodnsd"))" --zones zones --geo-data none --listen 127.0.0.1@5300 \
                --control control.sock --workers 1 2> log &
            server=$!
            trap 'kill $server; wait $server' EXIT
            for try in $(seq 200); do grep -q ' ready' log && break; sleep 0.05; done
            \(script)
            """
        let (status, text) = try RunningProcess.run(
            "/usr/bin/unshare", ["-n", "sh", "-c", words], seconds: 30)
        try #require(status == 0, "\(text)")
        return text
    }
}

extension TestServer {
    /// One of the counters of `geodnsctl status`, `datagrams received`.
    func counter(_ name: String) throws -> Int {
        let (status, text) = try control("status")
        try #require(status == 0, "\(text)")
        let line = try #require(
            text.split(separator: "\n").first { $0.hasPrefix(name + " ") },
            "no \(name) in:\n\(text)")
        return try #require(line.split(separator: " ").last.flatMap { Int($0) })
    }
}

extension Message.Record {
    /// `www.example.com. CNAME host.example.com.`; other types than addresses and CNAME in
    /// hexadecimal. TTLs are left out: in a resolver they run down.
    var summary: String {
        let value: String
        switch type {
        case .a, .aaaa: value = IPAddress(bytes: rdata)?.description ?? "?"
        case .cname, .ns, .ptr: value = DomainName(wire: rdata)?.description ?? "?"
        default: value = rdata.map { String(format: "%02x", $0) }.joined()
        }
        return "\(owner.canonical) \(type) \(value)"
    }
}

extension Message {
    /// RCODE as `dig` prints it.
    var codeName: String { ResponseCode(rawValue: responseCode)?.mnemonic ?? "\(responseCode)" }
}
