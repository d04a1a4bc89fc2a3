import DNSWire
import Diagnostics
import Health
import Zones

// Whether a GEO spills (`spill=`), and what is said where it is told to and cannot.
extension SteeringPlanBuilder {
    /// As told; where nothing is told when capacities are given, and it can be known how much there
    /// is to carry.
    mutating func spills(_ record: GeoRecord, _ targets: [Resolved]) -> Bool {
        let canSpill = record.policy.hasOrder && (record.answers ?? 1) == 1 && targets.count > 1
        if let demandLocation = record.demandLocation, !canSpill || record.spills == false {
            report(
                .warning, demandLocation,
                "demand= has no effect: it is for names that spill, whose clients go to one target "
                    + "after the other")
        }
        guard record.spills != false else { return false }
        guard canSpill else {
            if let spillLocation = record.spillLocation {
                report(.warning, spillLocation, noSpill(record))
            }
            return false
        }
        let regions = targets.compactMap { target -> Int? in
            guard case .endpoint(let index) = target.target else { return nil }
            return endpoints[index].region
        }
        let isReporting = endpoints.contains { endpoint in
            endpoint.region.map { regions.contains($0) } ?? false
                && endpoint.addresses.flatMap(\.probes).contains { check(of: $0).isLoad }
        }
        let hasCapacity = regions.contains { capacity(ofRegion: $0) != nil }
        guard let spillLocation = record.spillLocation else {
            return hasCapacity && (isReporting || record.demand != nil)
        }
        if !hasCapacity && !isReporting {
            report(
                .warning, spillLocation,
                "spill=on, and no target has a capacity: nothing is ever full; give regions "
                    + "capacity=, or a CHECK load that reports it")
            return false
        }
        if !isReporting && record.demand == nil {
            report(
                .warning, spillLocation,
                "spill=on, and nothing tells how much there is to carry; give demand=, in the unit of "
                    + "capacities, or regions a CHECK load")
        }
        return true
    }

    private func noSpill(_ record: GeoRecord) -> String {
        guard record.policy.hasOrder else {
            return "spill= has no effect under \(record.policy.words): clients are handed to their "
                + "next target, and it has no order of targets"
        }
        return (record.answers ?? 1) > 1
            ? "spill= has no effect with answers=: clients have several targets already"
            : "spill= has no effect: there is no other target"
    }
}

extension CheckSpecification {
    /// It reads what front doors tell of their load.
    fileprivate var isLoad: Bool { if case .load = kind { true } else { false } }
}
