package import Health
import Tables

// Numbers that tell whether two servers are in the same state; 0 when nothing is out of the
// ordinary. Each is a sum over what there is, so that the order in which it came plays no part.

extension Overrides {
    /// Of what is ordered and for whom, and how far shares have been moved: not of when, why, by
    /// whom and until when, for nobody types the same order on two servers at the same moment.
    package var fingerprint: UInt64 {
        all.reduce(0) { sum, override in
            var digest = Digest()
            digest.add(override.subject.lowercased())
            digest.add(override.clients.description)
            switch override.order {
            case .state(let state):
                digest.add(state.name)
            case .weights(let weights):
                for share in weights.shares.sorted(by: { $0.label < $1.label }) {
                    digest.add(share.label)
                    digest.add(UInt64(share.weight))
                }
                if let shift = weights.shift {
                    digest.add(shift.source)
                    digest.add(shift.destination)
                    digest.add(UInt64(shift.moved))
                }
            }
            return sum &+ digest.value
        }
    }
}

extension SteeringPlan {
    /// Of the targets that are not up by `states`, one for each endpoint; that are held; that have
    /// only a part of their clients, in percent. Targets go by their names, for their numbers are
    /// others under other zones.
    package func fingerprint(
        _ states: [HealthState], held: some Sequence<Hold>, ramping: [Ramp: UInt32]
    ) -> UInt64 {
        func number(_ endpoint: Int, _ state: String, _ part: UInt64 = 0) -> UInt64 {
            var digest = Digest()
            digest.add(endpoints[endpoint].name.description.lowercased())
            digest.add(state)
            digest.add(part)
            return digest.value
        }
        var sum: UInt64 = 0
        for (endpoint, state) in states.enumerated() where state != .up && state != .unknown {
            sum &+= number(endpoint, state.name)
        }
        for hold in held { sum &+= number(hold.endpoint, "held") }
        for (ramp, part) in ramping { sum &+= number(ramp.endpoint, "ramping", UInt64(part)) }
        return sum
    }
}

extension Spill.Shares {
    /// Of who is handed on, to a hundredth.
    package var fingerprint: UInt64 {
        portions.reduce(0) { sum, entry in
            var digest = Digest()
            digest.add("spill")
            digest.add(UInt64(entry.key.slot))
            digest.add(UInt64(bitPattern: Int64(entry.key.head)))
            for portion in entry.value {
                digest.add(UInt64(bitPattern: Int64(portion.target)))
                digest.add(UInt64(portion.part * 100))
            }
            return sum &+ digest.value
        }
    }
}
