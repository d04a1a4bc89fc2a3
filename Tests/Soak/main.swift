import Foundation
import TestSupport

// Against a running server: mixed good and hostile traffic with reloads every second, or regions
// that flap; see docs/testing.md. Exit status 1 when something was violated, 2 for bad arguments.
func wrongUsage() -> Never {
    print(
        """
        usage: soak --minutes N
               soak flap [--minutes N] [--rate QUERIES] [--regions N] [--seed N]
        """)
    exit(2)
}

/// What `soak flap` is to do; nil: words that do not belong there.
func flap(_ words: ArraySlice<String>) -> Flap? {
    var flap = Flap()
    var rest = words
    while let key = rest.popFirst() {
        guard let value = rest.popFirst(), let number = Double(value), number > 0 else {
            return nil
        }
        switch key {
        case "--minutes": flap.minutes = number
        case "--rate": flap.queriesPerSecond = Int(number)
        // One address of 127.64.0.1 to 127.255.249.1 for each.
        case "--regions" where number <= 1000: flap.regionCount = Int(number)
        case "--seed": flap.seed = UInt64(number)
        default: return nil
        }
    }
    return flap
}

var limit = rlimit()
getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
limit.rlim_cur = limit.rlim_max
setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
signal(SIGPIPE, SIG_IGN)

let words = CommandLine.arguments.dropFirst()
do {
    if words.first == "flap" {
        guard let flap = flap(words.dropFirst()) else { wrongUsage() }
        exit(try flap.run() ? 0 : 1)
    }
    guard words.count == 2, words.first == "--minutes", let text = words.last,
        let minutes = Double(text), minutes > 0
    else { wrongUsage() }
    exit(try Soak(minutes: minutes).run() ? 0 : 1)
} catch {
    print("soak: \(error)")
    exit(1)
}
