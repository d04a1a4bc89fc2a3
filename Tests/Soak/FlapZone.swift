import Health
import TestSupport

/// The zone that is served while regions flap, and what each of its names tells about them.
struct FlapZone: Sendable {
    static let origin = "flap.example"
    /// In turn. Of many some region nearly always fails; two are both well at times.
    static let groupSizes = [8, 8, 8, 2]
    static let ttl = (steady: UInt32(30), least: UInt32(1))

    /// What the answers of a name say.
    enum Name: Sendable {
        /// All of a range that are up.
        case group(Range<Int>)
        /// The first of all regions that is up.
        case first
        /// Any of them, by the client.
        case dealt
    }

    let regionCount: Int
    let port: UInt16

    /// Each region has one of these, in turn.
    var checks: [CheckSpecification] {
        [
            CheckSpecification(
                .http(path: "/"), port: port, every: .seconds(1), fast: .milliseconds(250),
                timeout: .milliseconds(500), fall: 3, rise: 2),
            CheckSpecification(
                .http(path: "/"), port: port, every: .seconds(2), fast: .milliseconds(500),
                timeout: .seconds(1), fall: 2, rise: 3),
            CheckSpecification(
                .tcp, port: port, every: .seconds(1), fast: .milliseconds(200),
                timeout: .seconds(1), fall: 3, rise: 1),
        ]
    }

    func check(of region: Int) -> CheckSpecification { checks[region % checks.count] }

    /// Each in a network of its own: together they could be taken for this server's own fault.
    static func address(of region: Int) -> String { "127.\(64 + region / 250).\(region % 250).1" }

    /// The region of the four bytes of an address.
    static func region(at address: [UInt8]) -> Int? {
        guard address.count == 4, address[0] == 127, address[1] >= 64, address[3] == 1 else {
            return nil
        }
        return (Int(address[1]) - 64) * 250 + Int(address[2])
    }

    var names: [(name: String, meaning: Name)] {
        var groups: [(String, Name)] = []
        var first = 0
        while first < regionCount {
            let size = FlapZone.groupSizes[groups.count % FlapZone.groupSizes.count]
            let end = min(first + size, regionCount)
            groups.append(("g\(first).\(FlapZone.origin)", .group(first..<end)))
            first = end
        }
        return groups + [
            ("first.\(FlapZone.origin)", .first), ("dealt.\(FlapZone.origin)", .dealt),
        ]
    }

    var text: String {
        let checkLines = checks.enumerated().map { number, check in
            let kind =
                check.kind == .tcp
                ? #"tcp \#(port) send="GET / HTTP/1.1\013\010\013\010" receive="HTTP/1.1 200""#
                : "http / port=\(port)"
            return "c\(number) CHECK \(kind) \(FlapZone.keys(of: check))\n"
        }
        let regions = (0..<regionCount).map { region in
            "r\(region) REGION 0 0 check=c\(region % checks.count)\n"
                + " A \(FlapZone.address(of: region))\n"
        }
        let everyone = 0..<regionCount
        let range = "\(FlapZone.ttl.steady)/\(FlapZone.ttl.least)"
        let names = names.map { name, meaning in
            let owner = name.split(separator: ".")[0]
            func targets(_ regions: Range<Int>) -> String {
                regions.map { "r\($0)" }.joined(separator: " ")
            }
            return switch meaning {
            // What is down is never answered, not even when all are.
            case .group(let regions):
                "\(owner) \(range) GEO all \(targets(regions)) last-resort=none\n"
            case .first: "\(owner) \(range) GEO failover \(targets(everyone))\n"
            case .dealt: "\(owner) \(range) GEO hash \(targets(everyone))\n"
            }
        }
        return """
            $TTL 1h
            @    SOA ns1 hostmaster 1 2h 30m 2w 1m
                 NS  ns1
            ns1  A   192.0.2.53

            """ + (checkLines + regions + names).joined()
    }

    static func keys(of check: CheckSpecification) -> String {
        "every=\(check.every.milliseconds)ms fast=\(check.fast.milliseconds)ms "
            + "timeout=\(check.timeout.milliseconds)ms fall=\(check.fall) rise=\(check.rise)"
    }
}

/// How a front door behaves.
enum Behaviour: String, CaseIterable, Sendable {
    case answers
    case fails = "says 500"
    case closes = "closes"
    case refuses = "refuses"
    case hangs = "hangs"
    /// A byte of an answer's header now and then.
    case drips = "drips"

    /// Probes of it end with their timeout only.
    var isLasting: Bool { self == .hangs || self == .drips }

    static let bad = allCases.filter { $0 != .answers }
}

/// What one front door does one after the other: the same for the same seed.
struct FlapSchedule: Sendable {
    private var generator: SeededGenerator
    private let detection: DetectionTime
    private(set) var behaviour = Behaviour.answers

    init(seed: UInt64, region: Int, check: CheckSpecification) {
        generator = SeededGenerator(seed: seed &* 1_000_003 &+ UInt64(region))
        detection = DetectionTime(check)
    }

    /// How long it goes on as it is.
    mutating func duration() -> Duration {
        let most =
            behaviour == .answers
            ? detection.mostToUp(lasting: true) : detection.mostToDown(lasting: true)
        // Most are long enough to be found out, and the others too short: what is in between
        // follows by itself, as some are found out late.
        guard generator.once(in: 3) else {
            return most + .milliseconds(generator.number(500...8000))
        }
        return .milliseconds(generator.number(20...Int(most.milliseconds)))
    }

    /// What comes then: sometimes another way to fail.
    mutating func next() -> Behaviour {
        let isBack = behaviour != .answers && !generator.once(in: 4)
        behaviour = isBack ? .answers : generator.pick(Behaviour.bad)
        return behaviour
    }
}
