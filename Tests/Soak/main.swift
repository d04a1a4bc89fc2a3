import Foundation
import TestSupport

// Mixed good and hostile traffic against a server that reloads every second; see docs/testing.md.
// Exit status 1 when something was violated, 2 for bad arguments.
var words = CommandLine.arguments.dropFirst()
guard words.popFirst() == "--minutes", let text = words.popFirst(), let minutes = Double(text),
    minutes > 0, words.isEmpty
else {
    print("usage: soak --minutes N")
    exit(2)
}

var limit = rlimit()
getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
limit.rlim_cur = limit.rlim_max
setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
signal(SIGPIPE, SIG_IGN)

do {
    exit(try Soak(minutes: minutes).run() ? 0 : 1)
} catch {
    print("soak: \(error)")
    exit(1)
}
