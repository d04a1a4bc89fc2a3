import DNSWire

/// The set of types that NSEC, NSEC3 and CSYNC hold (RFC 4034 §4.1.2).
enum TypeBitmap {
    /// Windows in ascending order, without bytes that say nothing.
    static func wire(_ types: Set<RRType>) -> [UInt8] {
        var wire: [UInt8] = []
        var window: UInt8?
        var bits: [UInt8] = []
        func close() {
            guard let window else { return }
            wire += [window, UInt8(bits.count)] + bits
        }
        for number in types.map(\.rawValue).sorted() {
            if window != UInt8(number >> 8) {
                close()
                window = UInt8(number >> 8)
                bits = []
            }
            let index = Int(number & 0xff) / 8
            while bits.count <= index { bits.append(0) }
            bits[index] |= 0x80 >> UInt8(number & 7)
        }
        close()
        return wire
    }

    /// Nil unless the bytes are just what `wire` makes of some types.
    static func types(_ wire: ArraySlice<UInt8>) -> [RRType]? {
        var rest = wire
        var types: [RRType] = []
        var previous = -1
        while let window = rest.popFirst() {
            guard Int(window) > previous, let count = rest.popFirst(), (1...32).contains(count),
                rest.count >= Int(count)
            else { return nil }
            previous = Int(window)
            let bits = rest.prefix(Int(count))
            guard bits.last != 0 else { return nil }
            rest = rest.dropFirst(Int(count))
            for (index, byte) in bits.enumerated() {
                for bit in 0..<8 where byte & 0x80 >> UInt8(bit) != 0 {
                    types.append(RRType(rawValue: UInt16(window) << 8 | UInt16(index * 8 + bit)))
                }
            }
        }
        // There is no type 0.
        return types.first?.rawValue == 0 ? nil : types
    }
}
