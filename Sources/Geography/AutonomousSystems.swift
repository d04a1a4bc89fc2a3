package import Addressing

/// Which autonomous system each address belongs to, by number (RFC 6793); 0, which is nobody's
/// (RFC 7607), where none is known.
package struct AutonomousSystems: Sendable {
    private let ipv4: Partition
    private let ipv6: Partition

    /// Partitions whose places are numbers.
    package init(ipv4: Partition, ipv6: Partition) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    /// The number of the system that `address` is in; nil: none is known. An IPv6 form that carries
    /// an IPv4 address is in the system of that.
    package func number(of address: IPAddress) -> UInt32? {
        let address = address.embeddedIPv4?.address ?? address
        let number = (address.family == .ipv4 ? ipv4 : ipv6).leaf(of: address).place
        return number == 0 ? nil : UInt32(number)
    }

    /// The networks of each of `numbers`, in address order, IPv4 first. Systems without a network
    /// are left out.
    package func networks(of numbers: Set<UInt32>) -> [UInt32: [Prefix]] {
        var result: [UInt32: [Prefix]] = [:]
        for (family, partition) in [(IPAddress.Family.ipv4, ipv4), (.ipv6, ipv6)] {
            partition.forEachLeaf { bits, length, place in
                let number = UInt32(place)
                guard number != 0, numbers.contains(number) else { return }
                let address = IPAddress(leftAligned: bits, family: family)
                result[number, default: []].append(Prefix(address, length: length))
            }
        }
        return result
    }

    /// Whether any address is in one.
    package var isEmpty: Bool {
        var isEmpty = true
        for partition in [ipv4, ipv6] {
            partition.forEachLeaf { _, _, place in if place != 0 { isEmpty = false } }
        }
        return isEmpty
    }
}
