import Foundation

// libFuzzer's side: it has the `main`, and calls these two. Which target runs stands in the
// environment (GEODNS_FUZZ_TARGET); see `run`.

private let target: FuzzTarget? = {
    let name = ProcessInfo.processInfo.environment["GEODNS_FUZZ_TARGET"]
    return FuzzTarget.all.first { $0.name == name }
}()

/// With GEODNS_FUZZ_SEEDS: writes the target's seeds and dictionary below that folder, and ends.
@c(LLVMFuzzerInitialize)
public func initializeFuzzer(
    _ count: UnsafeMutableRawPointer?, _ words: UnsafeMutableRawPointer?
) -> Int32 {
    if ProcessInfo.processInfo.environment["GEODNS_FUZZ_LIST"] != nil {
        for target in FuzzTarget.all { print(target.name, target.byteCountMax) }
        exit(0)
    }
    guard let target else {
        print("GEODNS_FUZZ_TARGET is none of", FuzzTarget.all.map(\.name))
        exit(2)
    }
    if let folder = ProcessInfo.processInfo.environment["GEODNS_FUZZ_SEEDS"] {
        do {
            try write(target, to: URL(filePath: folder))
            exit(0)
        } catch {
            print("cannot write seeds to \(folder): \(error)")
            exit(2)
        }
    }
    return 0
}

private func write(_ target: FuzzTarget, to folder: URL) throws {
    let seeds = folder.appending(path: "seeds")
    try FileManager.default.createDirectory(at: seeds, withIntermediateDirectories: true)
    for (number, seed) in target.seeds().enumerated() {
        try Data(seed).write(to: seeds.appending(path: "seed-\(number)"))
    }
    let lines = target.words().map { word in
        "\"" + word.map { "\\x" + String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            + "\"\n"
    }
    try Data(lines.joined().utf8).write(to: folder.appending(path: "dictionary"))
}

@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    if let fault = target?.fault(input) {
        // libFuzzer writes the input to a file when the process aborts.
        FileHandle.standardError.write(Data("fault: \(fault)\n".utf8))
        abort()
    }
    return 0
}
