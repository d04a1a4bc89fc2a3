import Health
import Steering
import Testing

@testable import Server

/// Words of the control socket.
@Suite struct OverrideCommandTests {
    @Test func timesAreReadWithTheirUnits() {
        #expect(OverrideCommand.duration("90s") == .seconds(90))
        #expect(OverrideCommand.duration("1h30m") == .seconds(5400))
        #expect(OverrideCommand.duration("2d") == .seconds(172_800))
        #expect(OverrideCommand.duration("366d") == .seconds(366 * 86_400))
        for wrong in ["", "2", "h", "-1h", "1.5h", "0s", "2h ", "367d", "9999999999s", "1x"] {
            #expect(OverrideCommand.duration(wrong) == nil, "\(wrong)")
        }
    }

    @Test func termsMayStandAnywhere() throws {
        var terms = OverrideCommand.Terms()
        terms.duration = .seconds(7200)
        terms.reason = "a=b c"
        terms.clients = .country("US")
        terms.isForced = true
        #expect(
            try OverrideCommand([
                "drain", "for=2h", "fra", "reason=a=b c", "iad", "client=country=us", "force",
            ]) == .order(.drain, targets: ["fra", "iad"], terms))
        #expect(
            try OverrideCommand(["shift", "www", "a->b", "2.5%/90s"])
                == .shift(
                    name: "www", from: "a", to: "b", step: 250, pace: .seconds(90),
                    OverrideCommand.Terms()))
        #expect(
            try OverrideCommand(["clear", "fra"])
                == .takeBack(
                    targets: ["fra"], drainsOnly: false, OverrideCommand.Terms()))
    }

    @Test(arguments: [
        ["drain"], ["up", ""], ["set", "www"], ["set", "www", "a:1", "a:2"],
        ["set", "www", "a:-1"],
        ["set", "www", "a:4294967296"], ["unset"], ["unset", "a", "b"], ["shift", "www"],
        ["shift", "www", "stop"], ["shift", "www", "a->a", "10%/1m"],
        ["shift", "www", "a->b", "10%/1ms"], ["shift", "www", "a->b", "10%/1m", "for=1h"],
        ["drain", "fra", "client=country=USA"], ["drain", "fra", "for=never"],
    ])
    func whatIsNoCommandIsRefused(_ words: [String]) {
        #expect(throws: OverrideCommand.Refusal.self) { try OverrideCommand(words) }
    }

    @Test func usersAreCalledByName() {
        let file = Array("root:x:0:0:root:/root:/bin/sh\n#\nada:x:1000:1000::/home/ada:\n".utf8)
        #expect(UserName.find(0, in: file) == "root")
        #expect(UserName.find(1000, in: file) == "ada")
        #expect(UserName.find(7, in: file) == nil)
        #expect(UserName.of(nil) == "unknown")
        #expect(UserName.of(4_000_000_000) == "uid 4000000000")
    }
}
