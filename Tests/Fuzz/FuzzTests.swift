import TestSupport
import Testing

/// A little of what `make fuzz` does much of: the seeds, and mutations of them from fixed seeds.
@Suite struct Fuzzing {
    @Test(arguments: FuzzTarget.all.map(\.name)) func seedsAndMutationsOfThem(_ name: String) throws
    {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let seeds = target.seeds()
        #expect(seeds.count > 5)
        for seed in seeds {
            let fault = target.fault(seed)
            #expect(fault == nil, "\(seed)")
        }
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<500 {
            var input = generator.pick(seeds)
            for _ in 0...generator.number(0...4) { mutate(&input, &generator, target, seeds) }
            let fault = target.fault(input)
            #expect(fault == nil, "\(input)")
        }
    }

    private func mutate(
        _ input: inout [UInt8], _ generator: inout SeededGenerator, _ target: FuzzTarget,
        _ seeds: [[UInt8]]
    ) {
        guard !input.isEmpty else {
            input = generator.pick(seeds)
            return
        }
        let position = generator.number(0...input.count - 1)
        switch generator.number(0...5) {
        case 0: input[position] ^= 1 << UInt8(generator.number(0...7))
        case 1: input[position] = UInt8(generator.number(0...255))
        case 2: input.remove(at: position)
        case 3: input.insert(UInt8(generator.number(0...255)), at: position)
        case 4: input.removeLast(generator.number(0...input.count))
        default:
            let words = target.words()
            let word = words.isEmpty ? generator.pick(seeds) : generator.pick(words)
            input.insert(contentsOf: word.prefix(target.byteCountMax), at: position)
        }
    }
}
