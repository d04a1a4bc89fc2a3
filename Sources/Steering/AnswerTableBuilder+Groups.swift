import Addressing

// Endpoints that are answered together: made once for all queries, so that a query picks a group
// as it picks an endpoint.
extension AnswerTableBuilder {
    /// As many of `targets`, best first, as the selector answers; at least the first.
    mutating func choice(
        _ targets: [Target], of selector: Selector, _ reason: Reason
    ) -> Choice {
        let members = targets.prefix(selector.answers).compactMap { target in
            if case .endpoint(let index) = target { index } else { Int?.none }
        }
        guard !members.isEmpty, case .endpoint = targets[0] else {
            return choice(targets[0], reason)
        }
        let parts = members.map { answering($0, by: selector) }
        if parts == [members[0]] { return choice(targets[0], reason) }
        return Choice(kind: .group, reason: reason, index: UInt32(group(members, parts)))
    }

    /// An endpoint as the selector answers with it: where families are independent and the whole
    /// is down, with those addresses of each family that are up.
    private mutating func answering(_ endpoint: Int, by selector: Selector) -> Int {
        guard selector.isIndependent, let open = openParts[endpoint] else { return endpoint }
        if let known = familyEndpoints[endpoint] { return known }
        endpoints.append(addAddresses(open[0], open[1]))
        groups.append([endpoint])
        familyEndpoints[endpoint] = endpoints.count - 1
        return endpoints.count - 1
    }

    /// The number of `members`, of which `parts` are answered, behind those of the endpoints.
    private mutating func group(_ members: [Int], _ parts: [Int]) -> Int {
        if parts.count == 1 { return parts[0] }
        if let known = groupIndexes[parts] { return known }
        var state = EndpointState(firstIPv4: 0, ipv4Count: 0, ipv6Count: 0, firstIPv6: 0)
        (state.firstIPv4, state.ipv4Count) = addAddresses(.ipv4, of: parts)
        (state.firstIPv6, state.ipv6Count) = addAddresses(.ipv6, of: parts)
        endpoints.append(state)
        groups.append(members)
        groupIndexes[parts] = endpoints.count - 1
        return endpoints.count - 1
    }

    /// An address that two of them have is answered once.
    private mutating func addAddresses(
        _ family: IPAddress.Family, of members: [Int]
    ) -> (start: UInt32, count: UInt16) {
        // After its RDLENGTH.
        let size = 2 + family.bitCount / 8
        let start = bytes.count
        var seen: Set<ArraySlice<UInt8>> = []
        for member in members {
            let state = endpoints[member]
            let first = Int(family == .ipv4 ? state.firstIPv4 : state.firstIPv6)
            let count = Int(family == .ipv4 ? state.ipv4Count : state.ipv6Count)
            // What one endpoint may have a group may have, too.
            guard bytes.count - start + count * size <= AnswerTable.groupByteCountMax else { break }
            for index in 0..<count {
                let address = bytes[(first + index * size)..<(first + (index + 1) * size)]
                if seen.insert(address).inserted { bytes += address }
            }
        }
        return (UInt32(start), UInt16((bytes.count - start) / size))
    }
}

extension AnswerTable {
    /// Of the addresses of a group, of one family: as for any RRset.
    static let groupByteCountMax = 60_000

    /// The endpoints that an outcome answers with, best first.
    package func endpoints(of outcome: Decision.Outcome) -> [Int] {
        switch outcome {
        case .endpoint(let index): [index]
        case .group(let index): groups[index - plan.endpoints.count]
        case .external, .nothing: []
        }
    }
}
