/// What no file on the system tells about countries.
package enum CountryTables {
    /// The continent of each ISO 3166-1 country, in the two letters that location databases use.
    /// Where a country stands on two, or on none: Central America and the Caribbean are NA, Russia
    /// is EU, Turkey and the Caucasus are AS, Timor-Leste is OC, Cyprus is EU, as GeoNames and
    /// MaxMind's databases have them.
    package static func continent(of country: String) -> String? { continents[country] }

    private static let countriesOfContinents: [(continent: String, countries: String)] = [
        (
            "AF",
            """
            AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA \
            MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW
            """
        ),
        ("AN", "AQ BV GS HM TF"),
        (
            "AS",
            """
            AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA \
            LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE
            """
        ),
        (
            "EU",
            """
            AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE \
            LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK
            """
        ),
        (
            "NA",
            """
            AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX \
            NI PA PM PR SV SX TC TT US VC VG VI
            """
        ),
        (
            "OC",
            "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS"
        ),
        ("SA", "AR BO BR CL CO EC FK GF GY PE PY SR UY VE"),
    ]

    private static let continents: [String: String] = {
        var result: [String: String] = [:]
        for (continent, countries) in countriesOfContinents {
            for country in countries.split(separator: " ") { result[String(country)] = continent }
        }
        return result
    }()

    /// Codes of range tables that stand for more than one country: their continent, and the country
    /// whose position is taken, so that such a client is at least sent to the right side of the
    /// Earth. The European Union stands at Brussels, Asia and the Pacific at Singapore.
    package static let areas: [String: (continent: String, position: String)] = [
        "AP": ("AS", "SG"),
        "EU": ("EU", "BE"),
    ]

    /// Codes that range tables use beside the one of ISO 3166-1.
    package static let aliases = ["UK": "GB"]

    /// The zone whose city stands for the country, where the first row of `zone.tab` is far from
    /// where most people live (an island, an exclave, one coast of a continent). Every other
    /// country takes its first row.
    package static let zones: [String: String] = [
        "AU": "Australia/Sydney",
        "BR": "America/Sao_Paulo",
        "CA": "America/Toronto",
        "MX": "America/Mexico_City",
        "RU": "Europe/Moscow",
        // zone.tab lists Crimea first.
        "UA": "Europe/Kyiv",
        // Between the coasts: New York, the first, is nearer to London than to Los Angeles' side.
        "US": "America/Chicago",
        "UZ": "Asia/Tashkent",
    ]
}
