import Addressing
import Geography
import Loader
import Responder
import Steering
import TestSupport

/// Eight regions, and places all over the Earth whose clients ask as much as their weight says.
struct SpillWorld {
    struct Client {
        var prefix: Prefix
        var coordinates: Coordinates
        /// In the unit of capacities; together the demand.
        var weight: Double
    }

    static let regions: [(label: String, latitude: Double, longitude: Double, capacity: Double)] = [
        ("iad", 38.95, -77.45, 400), ("pdx", 45.59, -122.6, 250), ("fra", 50.03, 8.57, 400),
        ("lhr", 51.47, -0.46, 250), ("nrt", 35.76, 140.39, 300), ("sin", 1.36, 103.99, 200),
        ("gru", -23.43, -46.48, 100), ("syd", -33.94, 151.18, 100),
    ]
    static let capacities = regions.map(\.capacity)

    let world: World
    let clients: [Client]

    /// `demand`: all clients together. `keys`: of the GEO.
    init(demand: Double, seed: UInt64 = 3, count: Int = 110, keys: String = "spill=on") throws {
        var random = SeededGenerator(seed: seed)
        var drawn: [Client] = []
        for number in 0..<count {
            // Most live near some region, as many as it can carry; some anywhere.
            let home = SpillWorld.regions[number % SpillWorld.regions.count]
            var coordinates = random.coordinates()
            if number % 4 != 0 {
                coordinates = Coordinates(
                    latitude: max(-89, min(89, home.latitude + Double(random.number(-15...15)))),
                    longitude: home.longitude + Double(random.number(-20...20)))
                if coordinates.longitude > 180 { coordinates.longitude -= 360 }
                if coordinates.longitude < -180 { coordinates.longitude += 360 }
            }
            drawn.append(
                Client(
                    prefix: Prefix(IPAddress(ipv4: UInt32(20 + number) << 24), length: 8),
                    coordinates: coordinates,
                    weight: home.capacity * Double(random.number(5...10))))
        }
        let total = drawn.reduce(0) { $0 + $1.weight }
        clients = drawn.map { client in
            var client = client
            client.weight *= demand / total
            return client
        }
        let lines = SpillWorld.regions.enumerated().map { index, region in
            "\(region.label) REGION \(region.latitude) \(region.longitude) check=web "
                + "capacity=\(Int(region.capacity))\n A 192.0.2.\(index + 1)\n"
        }
        let labels = SpillWorld.regions.map(\.label).joined(separator: " ")
        world = try load(
            [
                (
                    "example.com",
                    zone(
                        lines.joined() + "app GEO nearest \(labels) \(keys)\n"
                            + "plain GEO nearest \(labels) spill=off\n")
                )
            ],
            source: MemoryLocationSource(
                clients.map { ($0.prefix, Place(coordinates: $0.coordinates)) }))
    }

    /// What the clients of each slot make together.
    func demands(_ answers: AnswerTable) throws -> [Double] {
        var demands = [Double](repeating: 0, count: world.plan.slotCount)
        let name = try world.geo("app.example.com")
        for client in clients {
            for count in answers.outlook(name: name, around: client.prefix.address).counts {
                demands[count.slot] += client.weight * count.portion
            }
        }
        return demands
    }

    /// What is answered with these regions down, and what regions cannot carry handed on.
    func answers(down: Set<Int> = [], spilling: Bool = true) throws -> (AnswerTable, SpillPlan) {
        let dead = Set(down.map { IPAddress(ipv4: 0xC000_0200 + UInt32($0) + 1) })
        let plain = world.snapshot(down: dead).answers
        let plan = plain.spillPlan(demands: try demands(plain))
        let answers = world.snapshot(
            world.health(down: dead), probes: world.probeIdentifiers,
            spill: spilling ? plan.shares : Spill.Shares()
        ).answers
        return (answers, plan)
    }

    /// What each region gets of all clients.
    func loads(_ answers: AnswerTable) throws -> [Double] {
        var loads = [Double](repeating: 0, count: SpillWorld.regions.count)
        try forEachShare(answers) { client, region, portion in
            loads[region] += client.weight * portion
        }
        return loads
    }

    /// How much farther clients are than to the nearest that is up, weight by weight.
    func movedDistance(_ answers: AnswerTable, down: Set<Int>) throws -> Double {
        var sum = 0.0
        try forEachShare(answers) { client, region, portion in
            let best =
                SpillWorld.regions.indices.filter { !down.contains($0) }
                .map { kilometers(client, $0) }.min() ?? 0
            sum += client.weight * portion * (kilometers(client, region) - best)
        }
        return sum
    }

    private func forEachShare(
        _ answers: AnswerTable, _ body: (Client, _ region: Int, _ portion: Double) -> Void
    ) throws {
        let name = try world.geo("app.example.com")
        for client in clients {
            for share in answers.outlook(name: name, around: client.prefix.address).shares {
                guard case .endpoint(let index) = share.outcome else { continue }
                body(client, index, share.portion)
            }
        }
    }

    func kilometers(_ client: Client, _ region: Int) -> Double {
        let there = SpillWorld.regions[region]
        return GreatCircle.kilometers(
            client.coordinates,
            Coordinates(latitude: there.latitude, longitude: there.longitude))
    }

    /// The least distance that clients can be moved by so that no region has more than its
    /// capacity: the transportation problem over places and exact distances, without any of the
    /// code under test. Cheapest augmenting paths, client by client, over all edges there are.
    func leastMovedDistance(down: Set<Int>) -> Double {
        let up = SpillWorld.regions.indices.filter { !down.contains($0) }
        var room = up.map { SpillWorld.capacities[$0] }
        var flow = clients.map { _ in up.map { _ in 0.0 } }
        let costs = clients.map { client in up.map { kilometers(client, $0) } }
        for client in clients.indices {
            var left = clients[client].weight
            while left > 1e-9 {
                // Regions, reached from the client over others' moves.
                var reach = costs[client]
                var mover = up.map { _ in -1 }
                var from = up.map { _ in -1 }
                var isChanging = true
                while isChanging {
                    isChanging = false
                    for other in clients.indices {
                        for (a, amount) in flow[other].enumerated() where amount > 1e-9 {
                            for b in up.indices where b != a {
                                let cost = reach[a] + costs[other][b] - costs[other][a]
                                guard cost < reach[b] - 1e-7 else { continue }
                                (reach[b], mover[b], from[b]) = (cost, other, a)
                                isChanging = true
                            }
                        }
                    }
                }
                guard
                    let end = up.indices.filter({ room[$0] > 1e-9 }).min(by: {
                        reach[$0] < reach[$1]
                    })
                else { return .infinity }
                var amount = min(left, room[end])
                var place = end
                while mover[place] >= 0 {
                    amount = min(amount, flow[mover[place]][from[place]])
                    place = from[place]
                }
                room[end] -= amount
                place = end
                while mover[place] >= 0 {
                    flow[mover[place]][from[place]] -= amount
                    flow[mover[place]][place] += amount
                    place = from[place]
                }
                flow[client][place] += amount
                left -= amount
            }
        }
        var moved = 0.0
        for client in clients.indices {
            let best = costs[client].min() ?? 0
            for place in up.indices { moved += flow[client][place] * (costs[client][place] - best) }
        }
        return moved
    }
}
