package import Addressing

/// The open connections of one worker by the prefix that the client's address is in, each prefix's
/// in the order of their last activity. It says who makes room for a new one; a value, without
/// sockets or clock.
///
/// Prefixes are IPv4 /24 and IPv6 /56: about what one customer has, and what BIND and Knot count
/// by when they limit the rate of responses. RFC 9210 §4.2 leaves it open whether to count
/// addresses or subnets; by addresses, who has a /56 has as many connections as it wants.
package struct ConnectionRoster {
    private struct Member {
        var prefix: Prefix
        /// Grows with each activity of any connection.
        var stamp: UInt64
        /// The neighbours among those of the prefix, in the order of activity.
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

    package static func prefix(of client: IPAddress) -> Prefix {
        Prefix(client, length: client.family == .ipv4 ? 24 : 56)
    }

    // MARK: - Events

    /// `connection`, which is not on the roster, opened: the most recently active of its prefix.
    package mutating func add(_ connection: Int, of prefix: Prefix) {
        precondition(members[connection] == nil)
        let stamp = nextStamp()
        members[connection] = Member(prefix: prefix, stamp: stamp, older: nil, newer: nil)
        if var group = groups[prefix] {
            members[group.newest]?.newer = connection
            members[connection]?.older = group.newest
            group.newest = connection
            group.count += 1
            groups[prefix] = group
        } else {
            groups[prefix] = Group(count: 1, oldest: connection, newest: connection)
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
            add(connection, of: member.prefix)
        }
    }

    /// `connection` closed. Does nothing when it is not on the roster.
    package mutating func remove(_ connection: Int) {
        guard let member = members[connection], var group = groups[member.prefix] else { return }
        members[connection] = nil
        group.count -= 1
        if group.count == 0 {
            groups[member.prefix] = nil
            return
        }
        if let older = member.older { members[older]?.newer = member.newer }
        if let newer = member.newer { members[newer]?.older = member.older }
        if group.oldest == connection { group.oldest = member.newer ?? group.oldest }
        if group.newest == connection { group.newest = member.older ?? group.newest }
        groups[member.prefix] = group
    }

    private mutating func nextStamp() -> UInt64 {
        lastStamp += 1
        return lastStamp
    }

    // MARK: - Who makes room

    package func count(of prefix: Prefix) -> Int { groups[prefix]?.count ?? 0 }

    /// The connection of `prefix` that has been idle longest.
    package func idleLongest(of prefix: Prefix) -> Int? { groups[prefix]?.oldest }

    /// Of the prefix with most connections, the one that has been idle longest; when several have
    /// as many, the one idle longest of theirs. So whoever takes more than others pays for it, and
    /// a client with one connection keeps it as long as another prefix has two. Looks at each
    /// prefix once.
    package var firstToGo: Int? {
        groups.values.max { left, right in
            left.count != right.count
                ? left.count < right.count : stamp(left.oldest) > stamp(right.oldest)
        }?.oldest
    }

    private func stamp(_ connection: Int) -> UInt64 { members[connection]?.stamp ?? 0 }
}
