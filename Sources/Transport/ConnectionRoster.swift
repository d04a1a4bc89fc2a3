package import Addressing

/// The open connections of one worker, by the client's network, each network's in the order of
/// their last activity. It says who makes room for a new one; a value, without sockets or clock.
///
/// A network is an IPv4 /24 or an IPv6 /56: about what one customer has, and the prefixes that
/// rate limiting of responses counts by in BIND and Knot. RFC 9210 §4.2 leaves it open whether to
/// count addresses or subnets; with addresses, who owns a /56 has as many as it takes.
package struct ConnectionRoster {
    private struct Member {
        var network: Prefix
        /// Grows with each activity of any connection.
        var stamp: UInt64
        /// The neighbours in the order of activity inside the network.
        var older: Int?
        var newer: Int?
    }

    private struct Group {
        var count: Int
        var oldest: Int
        var newest: Int
    }

    private var members: [Member?]
    private var groups: [Prefix: Group] = [:]
    private var lastStamp: UInt64 = 0

    /// For connections numbered from 0 to `connectionCountMax` - 1.
    package init(connectionCountMax: Int) {
        members = Array(repeating: nil, count: connectionCountMax)
    }

    package static func network(of client: IPAddress) -> Prefix {
        Prefix(client, length: client.family == .ipv4 ? 24 : 56)
    }

    // MARK: - Events

    /// `connection`, which is not on the roster, opened: its network's most recently active.
    package mutating func add(_ connection: Int, of network: Prefix) {
        precondition(members[connection] == nil)
        let stamp = nextStamp()
        members[connection] = Member(network: network, stamp: stamp, older: nil, newer: nil)
        if var group = groups[network] {
            members[group.newest]?.newer = connection
            members[connection]?.older = group.newest
            group.newest = connection
            group.count += 1
            groups[network] = group
        } else {
            groups[network] = Group(count: 1, oldest: connection, newest: connection)
        }
    }

    /// `connection` was active. Does nothing when it is not on the roster.
    package mutating func touch(_ connection: Int) {
        guard let member = members[connection] else { return }
        if member.newer == nil {
            let stamp = nextStamp()
            members[connection]?.stamp = stamp
        } else {
            remove(connection)
            add(connection, of: member.network)
        }
    }

    /// `connection` closed. Does nothing when it is not on the roster.
    package mutating func remove(_ connection: Int) {
        guard let member = members[connection], var group = groups[member.network] else { return }
        members[connection] = nil
        group.count -= 1
        if group.count == 0 {
            groups[member.network] = nil
            return
        }
        if let older = member.older { members[older]?.newer = member.newer }
        if let newer = member.newer { members[newer]?.older = member.older }
        if group.oldest == connection { group.oldest = member.newer ?? group.oldest }
        if group.newest == connection { group.newest = member.older ?? group.newest }
        groups[member.network] = group
    }

    private mutating func nextStamp() -> UInt64 {
        lastStamp += 1
        return lastStamp
    }

    // MARK: - Who makes room

    package func count(of network: Prefix) -> Int { groups[network]?.count ?? 0 }

    /// The connection of `network` that has been idle longest.
    package func idleLongest(of network: Prefix) -> Int? { groups[network]?.oldest }

    /// Of the network with most connections, the one that has been idle longest; among equal
    /// networks, the one idle longest of all. So whoever takes more than others pays for it, and
    /// a client with one connection keeps it as long as another network has two. Looks at each
    /// network once.
    package var firstToGo: Int? {
        groups.values.max { left, right in
            left.count != right.count
                ? left.count < right.count : stamp(left.oldest) > stamp(right.oldest)
        }?.oldest
    }

    private func stamp(_ connection: Int) -> UInt64 { members[connection]?.stamp ?? 0 }
}
