import Addressing
import Diagnostics
import Testing
import ZoneFile

private func parse(_ text: String) -> (entries: [GeofeedEntry], problems: [String]) {
    let (entries, problems) = parseGeofeed(Array(text.utf8), file: "own.csv")
    return (entries, problems.map(\.description))
}

private func text(_ entry: GeofeedEntry) -> String {
    [
        "\(entry.prefix)", entry.country ?? "-", entry.subdivision ?? "-", entry.city ?? "-",
        "\(entry.location)",
    ].joined(separator: " ")
}

@Suite struct Geofeeds {
    @Test func everyFormOfALineIsRead() {
        let (entries, problems) = parse(
            """
            # our networks
            192.0.2.0/25,US,US-TX,Dallas,75201
            192.0.2.128/25, us , us-ca , "San José" ,   # lower case, blanks, quotes
            192.0.2.5,SE,SE-E,Linköping,
            198.51.100.0/24,DE\r
            198.51.100.0/25,,,,
            198.51.100.128/25,ZZ,,Nowhere,

            203.0.113.0/24
            2001:DB8:0:0::/32,JP,,Tokyo,,a later field,another
            """)
        #expect(problems == [])
        #expect(
            entries.map(text) == [
                "192.0.2.0/25 US US-TX Dallas own.csv:2:1",
                "192.0.2.128/25 US US-CA San José own.csv:3:1",
                "192.0.2.5/32 SE SE-E Linköping own.csv:4:1",
                "198.51.100.0/24 DE - - own.csv:5:1",
                "198.51.100.0/25 - - - own.csv:6:1",
                "198.51.100.128/25 - - - own.csv:7:1",
                "203.0.113.0/24 - - - own.csv:9:1",
                "2001:db8::/32 JP - Tokyo own.csv:10:1",
            ])
    }

    private static let prefixForm = "expected a prefix such as 192.0.2.0/24 or 2001:db8::/32"

    @Test(arguments: [
        (
            "192.0.2.1/24,DE",
            "1:1: error: '192.0.2.1/24' has bits set past /24; did you mean 192.0.2.0/24?"
        ),
        (",DE", "1:1: error: \(prefixForm), found ''"),
        ("192.0.2/24,DE", "1:1: error: \(prefixForm), found '192.0.2/24'"),
        (
            "::/0,Germany",
            "1:6: error: country is a two-letter code of ISO 3166-1, such as DE, found 'Germany'"
        ),
        (
            "::/0,UK",
            "1:6: error: country is a two-letter code of ISO 3166-1, such as DE, found 'UK'; "
                + "the United Kingdom is GB"
        ),
        ("::/0,DE,BY", "1:9: error: region is a code of ISO 3166-2, such as US-CA, found 'BY'"),
        ("::/0,DE,\"FR-1\"", "1:10: error: the region FR-1 is not in the country DE"),
        (
            "::/0,,US-CA",
            "1:7: error: the region US-CA is not in the country of this line, which is empty"
        ),
        (
            "::/0,DE\n0::/0,FR",
            "2:1: error: ::/0 is in this feed already, at own.csv:1:1; one of the two must go"
        ),
        (
            "\u{feff}::/0,DE",
            "1:1: error: the file begins with a byte order mark; save it without one"
        ),
    ])
    func aMistakeIsReportedWhereItStands(_ text: String, _ problem: String) {
        #expect(parse(text).problems == ["own.csv:" + problem])
    }

    @Test func everyMistakeIsReported() {
        let (entries, problems) = parse("nonsense,Germany,X\n::/0,DE,\n1.2.3.4/8,DE\n")
        #expect(entries.count == 1)
        #expect(problems.count == 3)
    }
}
