import Foundation
import TestSupport
import Testing

/// What clients must get, in a file beside the zone: a zone that answers otherwise is not served.
@Suite struct Expectations {
    private let checked: CheckedZone
    private var folder: TemporaryFolder { checked.folder }

    private static let zone =
        zoneHead + """
            fra   REGION 50.03 8.57
                  A 198.51.100.20
                  AAAA 2001:db8:2::10
            nrt   REGION 35.76 140.39
                  A 198.51.100.30
            app   60/10 GEO nearest fra nrt
            www   CNAME app
            cdn   30 GEO failover edge.vendor.net.
            half  GEO weighted fra:1 nrt:1
            mail  MX 10 mx.example.net.
                  MX 20 mx.example.org.

            """

    private static let kept = """
        # Tokyo and Frankfurt
        203.0.113.7      app.example.com   A             -> 198.51.100.30
        198.51.100.0/24  app.example.com.  A             -> 198.51.100.20   # a comment
        203.0.113.7      app.example.com   A    down=nrt -> 198.51.100.20

        198.51.100.1     www.example.com   AAAA          -> 2001:db8:2::10
        203.0.113.7      www.example.com   AAAA          -> NODATA
        203.0.113.7      cdn.example.com   A             -> edge.vendor.net.
        203.0.113.7      mail.example.com  MX            -> 20 mx.example.org. 10 mx.example.net.
        203.0.113.7      nix.example.com   A             -> NXDOMAIN
        203.0.113.7      www.example.org   A             -> REFUSED

        """

    init() throws { checked = try CheckedZone(Expectations.zone) }

    private func check(_ arguments: String...) throws -> (status: Int32?, text: String) {
        try checked.check(arguments)
    }

    @Test func whatIsAsExpectedIsFine() throws {
        try folder.write(Expectations.kept, to: "zones/example.com.expect")
        let (status, text) = try check()
        #expect(status == 0, "\(text)")
        #expect(!text.contains("error"), "\(text)")
        #expect(try check("--expect", folder.path + "/zones/example.com.expect").status == 0)
    }

    @Test func eachLineThatIsNotIsTold() throws {
        let file = try folder.write(
            """
            203.0.113.7   app.example.com  A -> 198.51.100.20
            203.0.113.7   app.example.com  AAAA down=nrt -> NODATA
              203.0.113.7 half.example.com A -> 198.51.100.20
            203.0.113.7   app.example.com  A
            203.0.113.7   app.example.com  A up=fra -> NODATA
            tokyo         app.example.com  A -> NODATA
            203.0.113.7   a..b             A -> NODATA
            203.0.113.7   app.example.com  ADDRESS -> NODATA
            203.0.113.7   app.example.com  A down=mars -> NODATA

            """, to: "world.expect")
        let (status, text) = try check("--expect", file)
        #expect(status == 1)
        for (place, message) in [
            (
                "1:1",
                "203.0.113.7 asking for app.example.com. A gets 198.51.100.30, expected "
                    + "198.51.100.20"
            ),
            ("2:1", "AAAA gets 2001:db8:2::10, expected NODATA"),
            ("3:3", "what it gets is one of 2 targets by their weights"),
            ("4:33", "expected CLIENT NAME TYPE -> ANSWER…"),
            ("5:34", "up=fra: expected down=TARGET,… or ->"),
            ("6:1", "tokyo: expected an address"),
            ("7:15", "a..b is no domain name"),
            ("8:32", "ADDRESS: expected a record type"),
            ("9:1", "down=mars: no such region or target"),
        ] {
            let line = text.split(separator: "\n").first {
                $0.hasPrefix("\(file):\(place): error: ")
            }
            #expect(line?.contains(message) == true, "\(place) \(message)\n\(text)")
        }
        #expect(text.contains("9 lines of \(file) are not as expected"))
    }

    @Test func aReloadThatBreaksThemChangesNothing() throws {
        let server = try TestServer(
            zones: [("example.com.zone", Expectations.zone)],
            geoData: folder.path + "/world.mmdb")
        try server.folder.write(Expectations.kept, to: "zones/example.com.expect")
        #expect(try server.control("reload").status == 0)
        let swapped = Expectations.zone.replacing("50.03 8.57", with: "35.70 139.70")
        try server.folder.write(swapped, to: "zones/example.com.zone")
        let (status, text) = try server.control("reload")
        #expect(status == 1)
        #expect(text.contains("nothing was changed"))
        #expect(text.contains("example.com.expect:2:1: error: 203.0.113.7 asking for"), "\(text)")
        #expect(
            server.client.addresses("app.example.com", subnet: "203.0.113.0/24")
                == ["198.51.100.30"])
    }

    /// Nobody has a place then, and nobody would get what is expected.
    @Test func withoutADatabaseTheyAreNotLookedAt() throws {
        try folder.write(Expectations.kept, to: "zones/example.com.expect")
        let (status, text) = try run(
            "geodns-check", "--zones", folder.path + "/zones", "--geo-data", "none")
        #expect(status == 0)
        #expect(
            text.contains(
                "example.com.expect:1:1: warning: not looked at: there is no location database"))
        let asked = try run(
            "geodns-check", "--zones", folder.path + "/zones", "--geo-data", "none", "--expect",
            folder.path + "/zones/example.com.expect")
        #expect(asked.status == 2)
        let missing = try run(
            "geodns-check", "--zones", folder.path + "/zones", "--geo-data",
            folder.path + "/missing.mmdb", "--expect", folder.path + "/zones/example.com.expect")
        #expect(missing.status == 1)
        #expect(missing.text.contains("missing.mmdb"), "\(missing.text)")
        #expect(!missing.text.contains("asking for"), "\(missing.text)")
    }
}
