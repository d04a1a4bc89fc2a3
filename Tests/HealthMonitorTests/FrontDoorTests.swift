import Addressing
import Foundation
import Health
import TestSupport
import Testing

/// The front door the demo and the tests balance over does what its usage says.
@Suite struct FrontDoorTests {
    @Test(arguments: [
        [], ["--listen"], ["--listen", "127.0.0.1"], ["--listen", "localhost@80"],
        ["--listen", "127.0.0.1@0"], ["--listen", "127.0.0.1@8080", "--mode", "sometimes"],
        ["--colour"],
    ])
    func badArgumentsEndWithStatus2(arguments: [String]) throws {
        #expect(try RunningProcess(Programs.own("front-door"), arguments).waitForExit() == 2)
    }

    @Test func aPortInUseEndsWithStatus1() throws {
        let port = freePort(on: "127.0.1.9")
        let door = try TestFrontDoor("127.0.1.9", port: port)
        let second = try RunningProcess(
            Programs.own("front-door"), ["--listen", "127.0.1.9@\(port)"])
        #expect(second.waitForExit() == 1)
        #expect(door.process.stop() == 0)
    }

    @Test func aSignalSwitchesItToFailingAndBack() async throws {
        let port = freePort(on: "127.0.1.10")
        let door = try TestFrontDoor("127.0.1.10", port: port)
        let watcher = Watcher()
        let identifier = try watcher.watch(
            Probe(.quick(.http(path: "/"), port: port), of: try address("127.0.1.10")))
        #expect(await watcher.isTold(identifier, is: .up))
        door.process.send(SIGUSR1)
        #expect(await watcher.isTold(identifier, is: .down))
        door.process.send(SIGUSR1)
        #expect(await watcher.isTold(identifier, is: .up))
        watcher.monitor.stop()
        #expect(door.process.stop() == 0)
    }
}
