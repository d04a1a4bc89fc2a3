import DNSWire
import Zones

// Service bindings at GEO names, which get the addresses of targets as hints.
extension SteeringPlanBuilder {
    /// Proves that SVCB and HTTPS records with their hints fit into a message, whatever is up.
    mutating func checkHints() {
        for (number, name) in names.enumerated() {
            guard let node = zones.node(named: name.name) else { continue }
            for type in [RRType.svcb, .https] {
                guard let rrset = zones.rrset(type, at: node), zones.takesHints(rrset, at: node)
                else { continue }
                let hints = hintByteCountMax(of: number)
                let byteCount = zones.rdata(of: rrset).reduce(0) { $0 + 12 + $1.count + hints }
                guard byteCount > ZoneTableBuilder.rrsetByteCountMax else { continue }
                report(
                    name.location,
                    "the \(type) records of this name take up to \(byteCount) bytes with the "
                        + "addresses of its targets as hints, more than the "
                        + "\(ZoneTableBuilder.rrsetByteCountMax) that fit into a message; write "
                        + "their hints yourself, or have fewer addresses")
            }
        }
    }

    /// Of the targets that are answered together, where there are the most addresses.
    private func hintByteCountMax(of name: Int) -> Int {
        var waiting = [name]
        var seen: Set<Int> = [name]
        var byteCounts: [Int] = []
        var togetherCount = 1
        while let number = waiting.popLast() {
            guard selectors.indices.contains(names[number].selector) else { continue }
            let selector = selectors[names[number].selector]
            togetherCount = max(togetherCount, selector.answers)
            for (target, _) in selector.allTargets {
                switch target {
                case .name(let next): if seen.insert(next).inserted { waiting.append(next) }
                case .endpoint(let index):
                    byteCounts.append(
                        endpoints[index].addresses.reduce(0) { $0 + $1.address.byteCount })
                case .external: break
                }
            }
        }
        // Each of both has a key and a length.
        return byteCounts.sorted(by: >).prefix(togetherCount).reduce(8, +)
    }
}
