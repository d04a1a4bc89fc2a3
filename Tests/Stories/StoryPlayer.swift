package import Addressing
import DNSWire
import Diagnostics
import Foundation
import Geography
import Health
import Loader
package import Responder
import Steering
import ZoneFile
import Zones

/// Plays a story: the same loader, plan and responder as the server's.
package struct StoryPlayer {
    /// Asks a query: what is served, the responder's seed, the query, who asks, over what. Returns
    /// the response.
    package typealias Exchange = (SnapshotCell, UInt64, [UInt8], IPAddress, Channel) throws ->
        [UInt8]

    private let story: Story
    private let exchange: Exchange
    private var zones: [(origin: String, text: String)] = []
    private var places: [(prefix: Prefix, place: Place)] = []
    private var systems: [(prefix: Prefix, number: UInt32)] = []
    private var states: [String: HealthState] = [:]
    private var ramping: [String: UInt32] = [:]
    private var figures: [String: ProbeFigures] = [:]
    private var files: [String: String] = [:]
    private var demands: [String: [Prefix: Double]] = [:]
    private var world: World?
    package private(set) var queryCount = 0
    /// What is not as the story has it, each with its line.
    package private(set) var faults: [String] = []
    /// A query has been asked of the zones read so far.
    private var isAsked = false

    package init(_ story: Story, asking exchange: @escaping Exchange = StoryPlayer.askInProcess) {
        self.story = story
        self.exchange = exchange
    }

    /// Hands the query to a responder.
    package static func askInProcess(
        _ served: SnapshotCell, seed: UInt64, query: [UInt8], from client: IPAddress,
        over channel: Channel
    ) -> [UInt8] {
        var responder = Responder(served, seed: seed)
        var bytes = [UInt8](repeating: 0xee, count: Responder.streamByteCountMax)
        var span = bytes.mutableSpan
        let count = responder.respond(to: query.span, from: client, over: channel, into: &span)
        return Array(bytes[..<count])
    }

    package mutating func play() throws {
        var rest = story.lines[...]
        while let (number, text) = rest.popFirst() {
            let words = text.split(separator: " ").map(String.init)
            guard let verb = words.first, !verb.hasPrefix("#") else { continue }
            switch verb {
            case "zone":
                var body = ""
                while let line = rest.popFirst(), line.text != "end" { body += line.text + "\n" }
                // Zones after a query are another world's.
                if isAsked {
                    (zones, places, systems, states, isAsked) = ([], [], [], [:], false)
                }
                (ramping, figures, demands) = ([:], [:], [:])
                zones.append((words[1], body))
                world = nil
            case "file":
                files[words[1]] = ""
                while let line = rest.popFirst(), line.text != "end" {
                    files[words[1]]? += line.text + "\n"
                }
            case "place":
                places.append(try place(words))
                world = nil
            case "system":
                systems.append((try need(Prefix(words[1]), words[1]), UInt32(words[2]) ?? 0))
                world = nil
            case "down": states[words[1]] = .down
            case "drain": states[words[1]] = .drain
            case "degraded": states[words[1]] = .degraded
            case "up": states[words[1]] = nil
            case "connections": figures[words[1], default: .init()].connections = Double(words[2])
            case "milliseconds":
                figures[words[1], default: .init()].milliseconds = Double(words[2])
            case "asking":
                demands[words[1], default: [:]][try need(Prefix(words[2]), words[2])] = Double(
                    words[3])
            case "ramping": ramping[words[1]] = UInt32(words[2])
            case "query":
                var expected: [[String]] = []
                while let next = rest.first, next.text.hasPrefix("  ") {
                    rest.removeFirst()
                    // A comment stands after two blanks and a hash.
                    let content = next.text.components(separatedBy: "  #")[0]
                    expected.append(content.split(separator: " ").map(String.init))
                }
                try ask(words, expected, line: number)
            default:
                throw StoryError("\(story.name):\(number): unknown verb \(verb)")
            }
        }
    }

    private func need<Value>(_ value: Value?, _ text: String) throws -> Value {
        guard let value else { throw StoryError("\(story.name): \(text) cannot be read") }
        return value
    }

    struct StoryError: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private func place(_ words: [String]) throws -> (Prefix, Place) {
        var place = Place()
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=").map(String.init)
            switch parts[0] {
            case "country": place.country = parts[1]
            case "continent": place.continent = parts[1]
            case "subdivision": place.subdivision = parts[1]
            case "city": place.city = parts[1]
            case "at":
                let numbers = parts[1].split(separator: ",").compactMap { Double($0) }
                place.coordinates = Coordinates(latitude: numbers[0], longitude: numbers[1])
            default: throw StoryError("\(story.name): unknown key \(word)")
            }
        }
        return (try need(Prefix(words[1]), words[1]), place)
    }

    // MARK: - Asking

    private mutating func loaded() throws -> World {
        if let world { return world }
        let (world, diagnostics) = ZoneLoader.load(
            zones: zones, source: MemoryLocationSource(places, systems: systems), files: files)
        self.world = world
        guard let world else {
            throw StoryError(diagnostics.map(\.description).joined(separator: "\n"))
        }
        return world
    }

    /// A probe has the state of its address, or of a target that has the address.
    private func snapshot(_ world: World) -> Snapshot {
        var health = HealthTable()
        for (index, probe) in world.plan.probes.enumerated() {
            let owners = world.plan.endpoints.filter { endpoint in
                endpoint.addresses.contains { $0.address == probe.address }
            }
            let told = ["\(probe.address)"] + owners.map(\.label)
            let state = told.map { states[$0] ?? .up }.reduce(HealthState.unknown) { $0.worse($1) }
            health[ProbeIdentifier(index)] = state
            health[figuresOf: ProbeIdentifier(index)] = told.compactMap { figures[$0] }.first
            if state == .degraded {
                health[weightOf: ProbeIdentifier(index)] = HealthTable.degradedWeight
            }
        }
        let parts = world.plan.ramps.compactMap { ramp in
            ramping[world.plan.endpoints[ramp.endpoint].label].map { (ramp, $0) }
        }
        func snapshot(_ spill: Spill.Shares) -> Snapshot {
            world.snapshot(
                health, probes: world.plan.probes.indices.map { ProbeIdentifier($0) },
                ramping: Dictionary(uniqueKeysWithValues: parts), spill: spill)
        }
        let plain = snapshot(Spill.Shares())
        guard !demands.isEmpty else { return plain }
        var amounts = [Double](repeating: 0, count: world.plan.slotCount)
        for (name, clients) in demands {
            guard let name = DomainName(name), let geo = world.zones.geoName(at: name)
            else { continue }
            for (prefix, amount) in clients {
                for count in plain.answers.outlook(name: geo, around: prefix.address).counts {
                    amounts[count.slot] += amount * count.portion
                }
            }
        }
        let reports = world.plan.regionReports(
            health, world.plan.probes.indices.map { ProbeIdentifier($0) })
        return snapshot(
            plain.answers.spillPlan(demands: amounts, capacities: reports.map(\.capacity)).shares)
    }

    private mutating func ask(_ words: [String], _ expected: [[String]], line: Int) throws {
        queryCount += 1
        isAsked = true
        let world = try loaded()
        var resolver = IPAddress(ipv4: 0xC000_0201)
        var subnet: (address: [UInt8], prefixLength: UInt8)?
        var payload: UInt16? = 1232
        var channel = Channel.datagram
        for word in words.dropFirst(3) {
            let parts = word.split(separator: "=").map(String.init)
            switch parts[0] {
            case "from":
                let prefix = try need(Prefix(parts[1]), parts[1])
                subnet = (prefix.address.bytes, UInt8(prefix.length))
            case "resolver": resolver = try need(IPAddress(parts[1]), parts[1])
            case "edns": payload = UInt16(parts[1])
            case "tcp": channel = .stream
            default: throw StoryError("\(story.name):\(line): unknown \(word)")
            }
        }
        let name = try need(DomainName(words[1]), words[1])
        let type = try need(RRType(words[2]), words[2])
        var query = Message.query(
            name, type, identifier: 0x4711, payloadByteCountMax: payload ?? 512, subnet: subnet)
        if payload == nil {
            query = Array(query[..<(12 + name.wire.count + 4)])
            query[11] = 0
        }
        let bytes = try exchange(
            SnapshotCell(snapshot(world)), UInt64(line), query, resolver, channel)
        let place = "\(story.name):\(line)"
        let message = try need(Message(bytes), "\(line): the response")
        expect(message.identifier == 0x4711, "\(place): the identifier")
        // The question comes back byte for byte, case included.
        expect(
            Array(bytes[12..<16 + name.wire.count]) == Array(query[12..<16 + name.wire.count]),
            "\(place): the question")
        compare(message, expected, place)
    }

    private mutating func expect(_ holds: Bool, _ fault: @autoclosure () -> String) {
        if !holds { faults.append(fault()) }
    }

    private mutating func compare(
        _ message: Message, _ expected: [[String]], _ place: String
    ) {
        var sections: [String: [String]] = ["answer": [], "authority": [], "additional": []]
        for words in expected {
            let rest = words.dropFirst().joined(separator: " ")
            switch words[0] {
            case "rcode":
                let mnemonic = ResponseCode(rawValue: message.responseCode)?.mnemonic
                expect(mnemonic == words[1], "\(place): \(mnemonic ?? "?"), not \(words[1])")
                expect(message.isAuthoritative == words.contains("aa"), "\(place): AA")
                expect(message.isTruncated == words.contains("tc"), "\(place): TC")
            case "scope":
                let scope = message.clientSubnetScope
                expect(
                    scope == Int(words[1]),
                    "\(place): scope \(scope.map(String.init) ?? "none"), not \(words[1])")
            case "one-of":
                let rdata = message.answers.first.map {
                    RecordPresentation.rdata($0.rdata[...], type: $0.type)
                }
                expect(
                    message.answers.count == 1 && words.dropFirst().contains(rdata ?? ""),
                    "\(place): \(rdata ?? "no answer") is none of these")
                sections["answer"] = nil
            default: sections[words[0]]?.append(rest)
            }
        }
        let actual = [
            ("answer", message.answers), ("authority", message.authorities),
            ("additional", message.additionals.filter { $0.type != .opt }),
        ]
        for (section, records) in actual {
            guard let wanted = sections[section] else { continue }
            let found = records.map(present).sorted()
            expect(
                found == wanted.sorted(),
                "\(place): \(section): \(found), not \(wanted.sorted())")
        }
    }

    /// One blank between fields, as the stories have it.
    private func present(_ record: Message.Record) -> String {
        RecordPresentation.line(
            owner: record.owner, ttl: record.ttl, type: record.type, rdata: record.rdata[...]
        ).split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }
}
