import Foundation
import TestSupport

/// Reloads every second: the zone's two versions in turn, and each fifth time one with a mistake,
/// which must be refused.
func reload(_ server: TestServer, _ zone: SoakZone, _ tally: Tally) {
    var serial = 1
    while tally.isRunning {
        let began = Date()
        serial += 1
        let isWrong = serial % 5 == 0
        var text = zone.text(version: serial % 2 + 1, serial: serial)
        if isWrong { text += SoakZone.mistakes[serial / 5 % SoakZone.mistakes.count] }
        do {
            // At once, as operators should do it: half a file is never read.
            let next = try server.folder.write(text, to: "next")
            guard rename(next, server.folder.path + "/zones/\(SoakZone.origin).zone") == 0 else {
                throw TestServer.NotReady(description: "rename: errno \(errno)")
            }
            let (status, words) = try server.control("reload")
            if status == 1, isWrong {
                tally.refusedReloads.advance()
            } else if status == 0, !isWrong {
                tally.reloads.advance()
            } else if tally.isRunning {
                tally.violation(
                    "reload of serial \(serial): status \(String(describing: status)): \(words)")
            }
        } catch {
            tally.violation("cannot reload: \(error)")
        }
        let left = 1 - Date().timeIntervalSince(began)
        if left > 0 { Thread.sleep(forTimeInterval: left) }
    }
}

/// Front doors fail and return, and each time the answer must follow.
func changeDoors(_ doors: [ScriptedDoor], _ port: UInt16, _ tally: Tally) {
    let client = DNSClient(port: port, source: "127.1.2.1")
    func expect(_ address: String, _ what: String) {
        let isRight = eventually(seconds: 30) {
            !tally.isRunning || client.addresses("fail.\(SoakZone.origin)") == [address]
        }
        if !isRight { tally.violation("30 s after \(what), \(address) is not answered") }
        tally.doorChanges.advance()
    }
    var round = 0
    while tally.isRunning {
        expect(doors[0].address, "both doors were opened")
        round += 1
        switch round % 3 {
        case 0: doors[0].refuse()
        case 1: doors[0].behave(then: .answer(status: 500))
        default: doors[0].behave(then: .hang)
        }
        expect(doors[1].address, "the first door failed")
        // With nothing left, everything counts as up.
        doors[1].behave(then: .close)
        expect(doors[0].address, "both doors failed")
        doors[1].behave(then: .answer(status: 200))
        expect(doors[1].address, "the second door returned")
        doors[0].behave(then: .answer(status: 200))
        do { if round % 3 == 0 { try doors[0].listenAgain() } } catch {
            tally.violation("the first door cannot listen again: \(error)")
        }
    }
}
