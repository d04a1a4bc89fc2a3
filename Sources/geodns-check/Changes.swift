import Configuration
import DNSWire
import Loader
import Steering

/// What is supposed to be otherwise than zones and health say.
struct Changes {
    /// Labels of regions and targets.
    var down: [String] = []
    var drained: [String] = []
    /// Of GEO names that are weighted; targets that are not named keep theirs.
    var weights: [(name: DomainName, weights: [(label: String, weight: UInt32)])] = []
    /// Of regions.
    var capacities: [(label: String, capacity: UInt32)] = []

    static let options = [
        Option("down", "TARGET", mayRepeat: true, "take this region or target as down")
            .under("suppose that, or look how it is"),
        Option("drain", "TARGET", mayRepeat: true, "take it as drained: it gets no new clients"),
        Option(
            "weight", "NAME=TARGET:WEIGHT,…", mayRepeat: true,
            "take these as weights of the GEO name; targets that are left out keep theirs"),
        Option("capacity", "REGION=N", mayRepeat: true, "take this as capacity of the region"),
    ]

    init(_ arguments: Arguments) throws(UsageError) {
        down = arguments.all("down")
        drained = arguments.all("drain")
        for text in arguments.all("weight") {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let name = DomainName(parts[0]) else {
                throw UsageError(
                    "--weight \(text): expected a GEO name and weights, like "
                        + "app.example.com=fra:3,iad:1")
            }
            weights.append((name, try Changes.weights(parts[1], in: text)))
        }
        for text in arguments.all("capacity") {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let capacity = UInt32(parts[1]) else {
                throw UsageError(
                    "--capacity \(text): expected a region and a whole number, like fra=2000")
            }
            capacities.append((parts[0], capacity))
        }
    }

    private static func weights(
        _ list: String, in text: String
    ) throws(UsageError) -> [(label: String, weight: UInt32)] {
        var result: [(label: String, weight: UInt32)] = []
        for word in list.split(separator: ",", omittingEmptySubsequences: false) {
            // A target's name may hold no colon.
            let parts = word.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let weight = UInt32(parts[1]) else {
                throw UsageError("--weight \(text): \(word): expected TARGET:WEIGHT, like fra:3")
            }
            result.append((String(parts[0]), weight))
        }
        return result
    }

    /// Whether anybody may get another answer.
    var moveClients: Bool { !down.isEmpty || !drained.isEmpty || !weights.isEmpty }

    /// Without those that move clients.
    var capacitiesOnly: Changes {
        var changes = self
        (changes.down, changes.drained, changes.weights) = ([], [], [])
        return changes
    }

    /// `fra down, iad drained`
    var words: String {
        let states = down.map { "\($0) down" } + drained.map { "\($0) drained" }
        return
            (states
            + weights.map { change in
                "\(change.name) at "
                    + change.weights.map { "\($0.label):\($0.weight)" }.joined(separator: ",")
            }).joined(separator: ", ")
    }
}

/// The labels of changes, found in a plan.
struct ResolvedChanges {
    var plan: SteeringPlan
    /// Numbers of endpoints.
    var down: Set<Int>
    var drained: Set<Int>

    init(_ changes: Changes, in plan: SteeringPlan) throws(UsageError) {
        down = try ResolvedChanges.endpoints("down", changes.down, in: plan)
        drained = try ResolvedChanges.endpoints("drain", changes.drained, in: plan)
        var capacities: [Int: UInt32] = [:]
        for (label, capacity) in changes.capacities {
            guard let region = plan.region(labelled: label) else {
                let known = plan.regions.map(\.label)
                throw UsageError(
                    "--capacity \(label): no such region; "
                        + Suggestion.words(for: label, among: known))
            }
            capacities[region] = capacity
        }
        var weights: [Int: [UInt32]] = [:]
        for change in changes.weights {
            let name = change.name
            guard let number = plan.names.firstIndex(where: { $0.name == name }) else {
                let known = plan.names.map(\.name.description)
                throw UsageError(
                    "--weight \(name): no such GEO name; "
                        + Suggestion.words(for: name.description, among: known))
            }
            weights[number] = try ResolvedChanges.weights(
                change.weights, of: plan.selectors[plan.names[number].selector], name,
                before: weights[number])
        }
        self.plan = plan.changed(weights: weights, capacities: capacities)
    }

    private static func endpoints(
        _ option: String, _ labels: [String], in plan: SteeringPlan
    ) throws(UsageError) -> Set<Int> {
        let (found, unknown) = plan.endpoints(labelled: labels)
        guard unknown.isEmpty else {
            let known = plan.endpoints.map(\.label)
            throw UsageError(
                "--\(option) \(unknown.joined(separator: " ")): no such region or target; "
                    + Suggestion.words(for: unknown[0], among: known))
        }
        return found
    }

    private static func weights(
        _ changes: [(label: String, weight: UInt32)], of selector: Selector, _ name: DomainName,
        before: [UInt32]?
    ) throws(UsageError) -> [UInt32] {
        guard case .weighted = selector.method else {
            throw UsageError("--weight \(name): it is not weighted, so that weights change nothing")
        }
        var weights = before ?? selector.weights
        for (label, weight) in changes {
            guard let index = selector.labels.firstIndex(of: label) else {
                throw UsageError(
                    "--weight \(name): \(label) is none of its targets, which are "
                        + selector.labels.joined(separator: " "))
            }
            weights[index] = weight
        }
        let sum = weights.reduce(UInt64(0)) { $0 + UInt64($1) }
        guard (1...UInt64(UInt32.max)).contains(sum) else {
            throw UsageError(
                "--weight \(name): the weights make \(sum), expected 1 to \(UInt32.max)")
        }
        return weights
    }
}

extension World {
    /// The world as it would be, and who is down or drained in it. Ends the program when a label
    /// names nothing.
    func changed(_ changes: Changes) -> (world: World, down: Set<Int>, drained: Set<Int>) {
        do throws(UsageError) {
            let resolved = try ResolvedChanges(changes, in: plan)
            return (steered(by: resolved.plan), resolved.down, resolved.drained)
        } catch {
            CheckSettings.program.fail("\(error)", status: error.status)
        }
    }
}
