package import DNSWire

/// One question of the testers that DNS operators use, and what must come back.
package struct ComplianceProbe: Sendable {
    /// As ISC's tester calls it, or the paragraph of RFC 8906.
    package var title: String
    /// The paragraph that says what is expected.
    package var source: String
    package var ask: Ask
    package var isStream = false
    package var code = ResponseCode.noError
    /// The answer section holds the zone's SOA.
    package var hasSOA = true
    package var isAuthoritative = true
    package var isTruncated = false
    /// Options of the response, by code; others must not be there.
    package var options: Set<UInt16> = []

    init(
        _ title: String, _ source: String, _ change: (inout Ask) -> Void = { _ in },
        expect: (inout ComplianceProbe) -> Void = { _ in }
    ) {
        self.title = title
        self.source = source
        ask = Ask()
        change(&ask)
        expect(&self)
    }
}

// Header bits (RFC 1035 §4.1.1, RFC 4035 §3).
private let authoritativeAnswer: UInt16 = 0x0400
private let truncation: UInt16 = 0x0200
private let recursionDesired: UInt16 = 0x0100
private let recursionAvailable: UInt16 = 0x0080
private let reserved: UInt16 = 0x0040
private let authenticData: UInt16 = 0x0020
private let checkingDisabled: UInt16 = 0x0010
/// The DO bit in OPT (RFC 3225 §3).
private let dnssecOK: UInt16 = 0x8000

// Options, by IANA's numbers.
private let nsid = Ask.Option(code: 3)
private let clientSubnet = Ask.Option(code: 8, data: [0, 1, 0, 0])
private let expire = Ask.Option(code: 9)
private let cookie = Ask.Option(code: 10, data: [1, 2, 3, 4, 5, 6, 7, 8])
private let padding = Ask.Option(code: 12, data: [0, 0, 0, 0])
private let unknown = Ask.Option(code: 100)

extension ComplianceProbe {
    private mutating func failsWith(_ code: ResponseCode) {
        self.code = code
        hasSOA = false
        isAuthoritative = false
    }

    /// Without EDNS.
    package static let plain: [ComplianceProbe] = [
        ComplianceProbe("dns", "RFC 8906 §8.1.1"),
        ComplianceProbe("type666", "RFC 8906 §8.1.2, RFC 3597 §2") {
            $0.type = RRType(rawValue: 666)
        } expect: {
            $0.hasSOA = false
        },
        ComplianceProbe("type1000", "RFC 8906 §8.1.2") {
            $0.type = RRType(rawValue: 1000)
        } expect: {
            $0.hasSOA = false
        },
        ComplianceProbe("cd", "RFC 8906 §8.1.3.1, RFC 4035 §3.1.6") { $0.flags = checkingDisabled },
        ComplianceProbe("ad", "RFC 8906 §8.1.3.2, RFC 6840 §5.7") { $0.flags = authenticData },
        ComplianceProbe("zflag", "RFC 8906 §8.1.3.3, RFC 1035 §4.1.1") { $0.flags = reserved },
        ComplianceProbe("rd", "RFC 8906 §8.1.3.4, RFC 1035 §4.1.1") { $0.flags = recursionDesired },
        ComplianceProbe("aa", "RFC 1035 §4.1.1") { $0.flags = authoritativeAnswer },
        ComplianceProbe("ra", "RFC 1035 §4.1.1") { $0.flags = recursionAvailable },
        ComplianceProbe("tc", "RFC 1035 §4.1.1") { $0.flags = truncation },
        ComplianceProbe("all flags", "RFC 1035 §4.1.1") { $0.flags = 0x07f0 },
        ComplianceProbe("opcode", "RFC 8906 §8.1.4") {
            $0.opcode = 15
            $0.hasQuestion = false
        } expect: {
            $0.failsWith(.notImplemented)
        },
        ComplianceProbe("opcodeflg", "RFC 8906 §8.1.4, RFC 6895 §2.1") {
            $0.opcode = 15
            $0.flags = 0x07f0
            $0.hasQuestion = false
        } expect: {
            $0.failsWith(.notImplemented)
        },
        ComplianceProbe("opcode with a question", "RFC 8906 §8.1.4") {
            $0.opcode = 15
        } expect: {
            $0.failsWith(.notImplemented)
        },
        ComplianceProbe("tcp", "RFC 8906 §8.1.5, RFC 7766 §5", expect: { $0.isStream = true }),
    ]

    /// With EDNS 0.
    package static let edns: [ComplianceProbe] = [
        ComplianceProbe("edns", "RFC 8906 §8.2.1, RFC 6891 §6.1.1") { $0.edns = .init() },
        ComplianceProbe("ednsopt", "RFC 8906 §8.2.3, RFC 6891 §6.1.2") {
            $0.edns = .init(options: [unknown])
        },
        ComplianceProbe("ednsflags", "RFC 8906 §8.2.4, RFC 6891 §6.1.4") {
            $0.edns = .init(flags: 0x0080)
        },
        ComplianceProbe("ednsflags=0x40", "RFC 8906 §8.2.4") { $0.edns = .init(flags: 0x0040) },
        ComplianceProbe("all ednsflags", "RFC 6891 §6.1.4") { $0.edns = .init(flags: 0xffff) },
        ComplianceProbe("do", "RFC 8906 §8.2.8, RFC 3225 §3") { $0.edns = .init(flags: dnssecOK) },
        ComplianceProbe("docd", "RFC 4035 §3.1.6") {
            $0.edns = .init(flags: dnssecOK)
            $0.flags = checkingDisabled
        },
        ComplianceProbe("edns@512", "RFC 8906 §8.2.7, RFC 6891 §6.2.3") {
            $0.name = "large.example.com"
            $0.type = .txt
            $0.edns = .init(payload: 512, flags: dnssecOK)
        } expect: {
            $0.hasSOA = false
            $0.isTruncated = true
        },
        ComplianceProbe("ednstcp", "RFC 8906 §8.2.7, RFC 7766 §5") {
            $0.name = "large.example.com"
            $0.type = .txt
            $0.edns = .init(payload: 512, flags: dnssecOK)
        } expect: {
            $0.hasSOA = false
            $0.isStream = true
        },
        ComplianceProbe("ednsnsid", "RFC 5001 §2.1") {
            $0.edns = .init(options: [nsid])
        } expect: {
            $0.options = [3]
        },
        ComplianceProbe("ednscookie", "RFC 7873 §5.2.3") {
            $0.edns = .init(options: [cookie])
        } expect: {
            $0.options = [10]
        },
        ComplianceProbe("ednsexpire", "RFC 6891 §6.1.2: RFC 7314 is for zone transfers") {
            $0.edns = .init(options: [expire])
        },
        ComplianceProbe("ednssubnet", "RFC 7871 §7.1.3") {
            $0.edns = .init(options: [clientSubnet])
        } expect: {
            $0.options = [8]
        },
        ComplianceProbe("padding", "RFC 7830 §3: over encrypted transports only") {
            $0.edns = .init(options: [padding])
        },
        ComplianceProbe("optlist", "RFC 8906 §8.2.10") {
            $0.edns = .init(options: [nsid, clientSubnet, expire, cookie])
        } expect: {
            $0.options = [3, 8, 10]
        },
        ComplianceProbe("bind11", "as BIND 9.11 asks") {
            $0.edns = .init(flags: dnssecOK, options: [cookie])
        } expect: {
            $0.options = [10]
        },
        ComplianceProbe("dig11", "as dig 9.11 asks") {
            $0.flags = recursionDesired | authenticData
            $0.edns = .init(options: [cookie])
        } expect: {
            $0.options = [10]
        },
        ComplianceProbe("opcode with EDNS", "RFC 8906 §8.1.4, RFC 6891 §6.1.1") {
            $0.opcode = 15
            $0.hasQuestion = false
            $0.edns = .init()
        } expect: {
            $0.failsWith(.notImplemented)
            $0.options = [15]
        },
        ComplianceProbe("a name outside", "RFC 8914 §4.21") {
            $0.name = "example.org"
            $0.edns = .init()
        } expect: {
            $0.failsWith(.refused)
            $0.options = [15]
        },
        ComplianceProbe("QDCOUNT=0 with a cookie", "RFC 7873 §5.4") {
            $0.hasQuestion = false
            $0.edns = .init(options: [cookie])
        } expect: {
            $0.hasSOA = false
            $0.isAuthoritative = false
            $0.options = [10]
        },
        ComplianceProbe("QDCOUNT=0 without a cookie", "RFC 9619 §4") {
            $0.hasQuestion = false
            $0.edns = .init()
        } expect: {
            $0.failsWith(.formatError)
        },
        ComplianceProbe("a cookie of 9 bytes", "RFC 7873 §5.2.2") {
            $0.edns = .init(options: [.init(code: 10, data: [UInt8](repeating: 1, count: 9))])
        } expect: {
            $0.failsWith(.formatError)
        },
        ComplianceProbe("a client subnet with a bit too many", "RFC 7871 §7.1.1") {
            $0.edns = .init(options: [.init(code: 8, data: [0, 1, 23, 0, 192, 0, 1])])
        } expect: {
            $0.failsWith(.formatError)
        },
    ]

    /// A version that does not exist yet (RFC 6891 §6.1.3): BADVERS, and nothing of the version's
    /// options or flags.
    package static let laterEDNS: [ComplianceProbe] = [
        ("edns1", "RFC 8906 §8.2.2", 0, []),
        ("edns1 with flags", "RFC 8906 §8.2.5", 0x0040, []),
        ("edns1opt", "RFC 8906 §8.2.6", 0, [unknown]),
        ("edns1do", "RFC 8906 §8.2.9", dnssecOK, []),
        ("edns1nsid", "RFC 6891 §6.1.3", 0, [nsid]),
        ("edns1cookie", "RFC 6891 §6.1.3", 0, [cookie]),
        ("edns1expire", "RFC 6891 §6.1.3", 0, [expire]),
        ("edns1subnet", "RFC 6891 §6.1.3", 0, [clientSubnet]),
    ].map { (title: String, source: String, flags: UInt16, options: [Ask.Option]) in
        ComplianceProbe(title, source) {
            $0.edns = .init(version: 1, flags: flags, options: options)
        } expect: {
            $0.failsWith(.badVersion)
        }
    }

    /// The types the tester asks for one after the other: data or not, the answer is NOERROR.
    package static let types: [ComplianceProbe] =
        ([1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]
        + [25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 42, 43, 44, 45, 46]
        + [47, 48, 49, 50, 51, 52, 53, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 99, 104, 105]
        + [106, 107, 108, 109, 256, 257, 258, 259, 32768, 32769, 65280, 65405, 65534]).map {
            type in
            ComplianceProbe("TYPE\(type)", "RFC 8906 §3.1.2, RFC 6895 §3.1") {
                $0.type = RRType(rawValue: UInt16(type))
            } expect: {
                $0.hasSOA = false
            }
        }
}
