import DNSWire
package import Tables

extension ZoneTable.View {
    /// Whether finding a name waits for memory: names are too many for the caches of one core. With
    /// fewer, reading ahead gains nothing (docs/architecture.md, "Reading ahead").
    package var isLarge: Bool { nodes.count >= 1 << 15 }

    /// Reads what `find` will read for names with these hashes, and what answers them: first the
    /// slots of all, then the nodes of all, and so on, so that they wait for memory together and
    /// not one after the other. `geo` does the same for the GEO name with a number, and returns
    /// something of what it has read.
    ///
    /// Nothing depends on what is found. The hashes are overwritten.
    @inline(__always)
    package func readAhead(
        _ hashes: inout ScratchArray<UInt64>, count: Int, geo: (Int) -> UInt32
    ) {
        let mask = slots.count &- 1
        for index in 0..<count {
            hashes[index] = UInt64(slots[Int(truncatingIfNeeded: hashes[index]) & mask])
        }
        // What is left of each: nothing, or two numbers.
        for index in 0..<count where hashes[index] != 0 {
            let node = nodes[Int(hashes[index] &- 1)]
            hashes[index] =
                node.rrsetCount == 0 ? 0 : UInt64(node.nameOffset) << 32 | UInt64(node.firstRRset)
        }
        for index in 0..<count where hashes[index] != 0 {
            let name = bytes[Int(hashes[index] >> 32)]
            let rrset = rrsets[Int(hashes[index] & 0xffff_ffff)]
            hashes[index] =
                rrset.type == .geo
                ? UInt64(geo(Int(rrset.link))) : UInt64(bytes[Int(rrset.dataOffset)])
            hashes[index] ^= UInt64(name)
        }
    }
}
