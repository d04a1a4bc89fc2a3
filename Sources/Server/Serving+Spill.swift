import DNSWire
import Health
import Responder
import Steering

// What full regions hand on: what the log says of it, and what is shown.
extension Serving {
    /// Logs every region that begins or ceases to hand clients on, or to carry more than it can.
    /// Regions are compared by name: after a reload indexes may have moved.
    func report(from before: Current?, to after: Current) {
        guard let loads = after.spill.load ?? before?.spill.load else { return }
        let now = after.spill.load == nil ? [] : loads.spilling
        let spilled = before?.names { $0.spilling } ?? []
        let overloaded = before?.names { $0.overloaded } ?? []
        for (index, region) in after.world.plan.regions.enumerated() {
            let isSpilling = now.contains(index)
            if isSpilling != spilled.contains(region.name) {
                journal.record(
                    isSpilling ? .warning : .info, isSpilling ? "spill" : "spill-ended",
                    isSpilling
                        ? "it is full: the clients that lose least by it get their next target"
                        : "it carries all of its own clients again",
                    after.fields(of: index))
            }
            let isOver = after.spill.load?.overloaded.contains(index) ?? false
            if isOver != overloaded.contains(region.name) {
                journal.record(
                    isOver ? .error : .info, isOver ? "overload" : "overload-ended",
                    isOver
                        ? "it carries more than it can, in proportion to all that could help"
                        : "no more than it can carry",
                    after.fields(of: index))
            }
        }
    }
}

extension Serving.Current {
    /// Counts and reports are looked at.
    mutating func look(at now: MonotonicTime) {
        spill.look(
            answers, sums: world.tally.sums, world.plan.regionReports(health, probes), at: now)
    }

    /// What is answered now.
    func snapshot() -> Snapshot {
        let plan = world.plan
        let fingerprint = plan.fingerprint(
            plan.endpointStates(health, probes), held: held.keys, ramping: ramping)
        return world.snapshot(
            health, probes: probes, held: Set(held.keys), ramping: ramping,
            overrides: overrides.effects(in: plan, partition), spill: spill.shares,
            epoch: world.epoch.with(
                overrides: overrides.fingerprint, health: fingerprint &+ spill.shares.fingerprint))
    }

    /// Of the regions that `body` finds.
    fileprivate func names(_ body: (RegionLoads) -> Set<Int>) -> Set<DomainName> {
        guard let load = spill.load else { return [] }
        return Set(body(load).map { world.plan.regions[$0].name })
    }

    fileprivate func fields(of region: Int) -> [(name: String, value: String)] {
        let record = world.plan.regions[region]
        var fields = [("target", record.label), ("name", record.name.description)]
        guard let load = spill.load else { return fields }
        fields.append(("wanted", load.wanted[region].inShort))
        fields.append(("load", load.carried[region].inShort))
        if let capacity = load.capacities[region] { fields.append(("capacity", capacity.inShort)) }
        let receivers = destinations(of: region, load)
        if !receivers.isEmpty { fields.append(("to", receivers)) }
        return fields
    }

    /// `iad 20, nrt 3`
    private func destinations(of region: Int, _ load: RegionLoads) -> String {
        load.moves.filter { $0.key.from == region }.sorted {
            ($1.value, $0.key.to ?? .max) < ($0.value, $1.key.to ?? .max)
        }.map { move, amount in
            let label = move.to.map { world.plan.regions[$0].label } ?? "elsewhere"
            return "\(label) \(amount.inShort)"
        }.joined(separator: ", ")
    }

    /// For `geodnsctl status`.
    var spillRows: [(String, String)] {
        guard world.plan.slotCount > 0 else { return [] }
        guard let load = spill.load else {
            return [("spill", "nothing tells yet how much there is to carry")]
        }
        let regions = world.plan.regions
        var rows = load.spilling.sorted().map { region in
            let capacity = load.capacities[region].map { " of \($0.inShort)" } ?? ""
            return (
                "spilling",
                "\(regions[region].label), wanted \(load.wanted[region].inShort)\(capacity): "
                    + "\(destinations(of: region, load))"
            )
        }
        if !load.overloaded.isEmpty {
            let words = load.overloaded.sorted().map { region in
                let percent = Int((load.overloads[region] * 100).rounded())
                return "\(regions[region].label) \(percent)%"
            }
            rows.append(("OVERLOADED", words.joined(separator: " ") + " of what they can carry"))
        }
        return rows
    }

    /// For `geodnsctl regions`: a heading, and what each region with a capacity carries.
    var loadRows: [[String]] {
        var rows = [["REGION", "CAPACITY", "WANTED", "LOAD", "REPORTED", "HANDS ON"]]
        guard let load = spill.load else { return rows }
        let reports = world.plan.regionReports(health, probes)
        for (index, region) in world.plan.regions.enumerated() {
            let capacity = load.capacities[index]
            guard capacity != nil || load.wanted[index] > 0 || load.carried[index] > 0
            else { continue }
            let part = capacity.flatMap { capacity -> String? in
                guard capacity > 0 else { return nil }
                return " \(Int((load.carried[index] / capacity * 100).rounded()))%"
            }
            let receivers = destinations(of: index, load)
            rows.append([
                region.label, capacity?.inShort ?? "-", load.wanted[index].inShort,
                load.carried[index].inShort + (part ?? ""), reports[index].load?.inShort ?? "-",
                receivers.isEmpty ? "-" : receivers,
            ])
        }
        return rows
    }
}

extension Double {
    /// A whole number, but for small ones.
    fileprivate var inShort: String {
        guard self < 1e15 else { return "\(self)" }
        let tenths = (self * 10).rounded() / 10
        return self >= 100 || tenths == tenths.rounded() ? "\(Int(rounded()))" : "\(tenths)"
    }
}
