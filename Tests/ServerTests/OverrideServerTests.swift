import DNSWire
import Foundation
import TestSupport
import Testing

/// `geodnsctl drain`, `set` and the like, end to end.
@Suite struct OverrideServerTests {
    let folder: TemporaryFolder
    let iad: ScriptedDoor
    let fra: ScriptedDoor

    init() throws {
        folder = try TemporaryFolder()
        iad = try ScriptedDoor("127.0.8.1")
        fra = try ScriptedDoor("127.0.8.2")
    }

    private var zone: String {
        zoneHead + """
            iad  CHECK  http / port=\(iad.port) every=100ms fast=100ms fall=2 rise=1
                 REGION 38.95 -77.45
                 A 127.0.8.1
            fra  CHECK  http / port=\(fra.port) every=100ms fast=100ms fall=2 rise=1
                 REGION 50.03 8.57
                 A 127.0.8.2
            api.fra A 127.0.8.2
            api.iad A 127.0.8.1
            app  30 GEO failover fra iad
            api  10 GEO failover fra iad service=api
            www  1 GEO weighted blue:1 green:0
            blue 1 GEO failover iad fra
            green 1 GEO failover fra iad
            only 1 GEO failover iad

            """
    }

    private var file: String { folder.path + "/overrides" }
    private var kept: String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }

    private func start(_ text: String? = nil, _ arguments: String...) throws -> TestServer {
        try TestServer(
            zones: [("example.zone", text ?? zone)],
            arguments: ["--state", folder.path] + arguments)
    }

    private func kill(_ server: TestServer) {
        server.process.send(SIGKILL)
        #expect(server.process.waitForExit() == 128 + SIGKILL)
    }

    // MARK: - Targets

    @Test func aDrainedRegionHasNoNewClientsAndSaysWhenItIsSafe() throws {
        let server = try start()
        #expect(server.client.addresses("app.example.") == ["127.0.8.2"])
        let drained = try server.control(
            "drain", "fra", "--for", "2h", "--reason", "deploy 17")
        #expect(drained.status == 0, "\(drained.text)")
        // At the next query.
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.8.1"] })
        #expect(eventually { server.client.addresses("api.example.") == ["127.0.8.1"] })
        #expect(drained.text.hasPrefix("drain fra until 20"), "\(drained.text)")
        #expect(drained.text.contains(#/  fra +safe at 20\S+Z/#), "\(drained.text)")
        #expect(drained.text.contains(#/api\.fra +safe at 20\S+Z/#))
        // What is the last resort is still answered, and it says for which names.
        let both = try server.control("drain", "iad").text
        #expect(both.contains(#/  iad +still answered for .*only\.example\./#), "\(both)")
        #expect(try server.control("undrain", "iad").status == 0)

        let status = try server.control("status").text
        let user = NSUserName()
        #expect(status.contains(#/override +drain fra until 20\S+Z, by (\w+): deploy 17/#))
        #expect(status.contains("by \(user)"))
        #expect(status.contains(#/steered by an override +[1-9]/#))
        #expect(try server.control("regions").text.contains(#/(?m)^fra +drain! +127\.0\.8\.2/#))
        let events = try server.control("events").text
        #expect(
            events.contains(
                #/info override: ordered order=drain of=fra until=20\S+Z by=\w+ reason="deploy 17"/#
            ))
        #expect(events.contains(#/warning drain target=fra .* because=override/#))

        let object = try #require(
            try JSONSerialization.jsonObject(
                with: Data(try server.control("overrides", "--json").text.utf8)) as? [String: Any])
        #expect(object["order"] as? String == "drain" && object["of"] as? String == "fra")
        #expect(object["reason"] as? String == "deploy 17" && object["clients"] as? String == "all")
        let targets = try #require(object["targets"] as? [[String: Any]])
        #expect(targets.count == 2)
        #expect(targets.allSatisfy { ($0["safeAt"] as? String)?.hasSuffix("Z") == true })

        #expect(try server.control("undrain", "fra").text.hasPrefix("no longer: drain fra"))
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.8.2"] })
        #expect(try server.control("overrides").text == "nothing is overridden\n")
    }

    @Test func itOutlivesTheProcessAndAReload() throws {
        do {
            let server = try start()
            #expect(try server.control("drain", "f*", "--reason", "deploy 17").status == 0)
            // On the disk before the command has come back.
            #expect(kept.contains("drain target=f* clients=all since=20"), "\(kept)")
            kill(server)
        }
        let server = try start()
        #expect(server.client.addresses("app.example.") == ["127.0.8.1"])
        #expect(server.process.text.contains("overrides=1"))
        #expect(try server.control("reload").status == 0)
        #expect(server.client.addresses("app.example.") == ["127.0.8.1"])
        #expect(try server.control("overrides").text.contains(#/drain +f\* +all .* deploy 17/#))
        // The time by which it was safe is known still.
        let safe = try server.control("overrides").text
        #expect(safe.contains(#/  fra +safe at 20/#), "\(safe)\n\(kept)")
        #expect(try server.control("undrain", "f*").status == 0)
        kill(server)
        let last = try start()
        #expect(last.client.addresses("app.example.") == ["127.0.8.2"])
    }

    @Test func itEndsByItself() throws {
        let server = try start()
        #expect(try server.control("drain", "fra", "--for", "1s").status == 0)
        #expect(server.process.waitForOutput("warning drain target=fra"))
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.8.2"] })
        #expect(server.process.waitForOutput("info override: its time is over order=drain of=fra"))
        #expect(eventually { !kept.contains("drain target") && !kept.isEmpty })
    }

    @Test func downAndUpBeatTheChecks() throws {
        let server = try start()
        #expect(try server.control("down", "fra").status == 0)
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.8.1"] })
        fra.behave(then: .answer(status: 500))
        #expect(server.process.waitForOutput("check: status 500"))
        #expect(try server.control("up", "fra.example.").status == 0)
        // The later word counts, though it was said of the same target in other words.
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.8.2"] })
        let refused = try server.control("undrain", "fra")
        #expect(refused.status == 1 && refused.text.contains("is not drained"), "\(refused.text)")
        #expect(try server.control("clear", "fra.example.", "fra").status == 0)
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.8.1"] })
    }

    @Test func aTargetThatIsGoneIsToldAndNotLost() throws {
        let server = try start()
        #expect(try server.control("drain", "fra").status == 0)
        let without = zone.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.contains(#/^(api|www|blue|green)/#) }
            .joined(separator: "\n")
            .replacing("fra  CHECK", with: "nrt  CHECK").replacing(
                "failover fra", with: "failover nrt")
        try server.folder.write(without, to: "zones/example.zone")
        #expect(try server.control("reload").status == 0)
        #expect(server.process.text.contains("warning override: there is no such target any more"))
        #expect(server.client.addresses("app.example.") == ["127.0.8.2"])
        #expect(try server.control("status").text.contains("(there is no such target any more)"))
        try server.folder.write(zone, to: "zones/example.zone")
        #expect(try server.control("reload").status == 0)
        #expect(server.client.addresses("app.example.") == ["127.0.8.1"])
    }

    @Test func whatCannotBeMeantIsRefused() throws {
        let server = try start()
        func refused(
            _ words: String..., with expected: String,
            sourceLocation: Testing.SourceLocation = #_sourceLocation
        ) throws {
            let reply = try RunningProcess.run(
                Programs.own("geodnsctl"), ["--control", server.controlPath] + words)
            #expect(reply.status == 1, "\(reply.text)", sourceLocation: sourceLocation)
            #expect(reply.text.contains(expected), "\(reply.text)", sourceLocation: sourceLocation)
        }
        try refused("drain", "frankfurt", with: "there is no target frankfurt; there are: api.fra")
        try refused("drain", with: "drain needs a target")
        try refused("drain", "fra", "--for", "2", with: "like 90s, 30m, 2h or 1d")
        try refused("drain", "fra", "--client", "moon", with: "expected country=CC")
        try refused("set", "www", "blue:0", with: "every target of www would have weight 0")
        try refused(
            "set", "www", "red:1", with: "www.example. has no target red; it has: blue green")
        try refused("set", "www", "blue", with: "expected TARGET:WEIGHT")
        try refused("set", "app", "fra:1", with: "app.example. has no weights")
        try refused(
            "set", "web", "fra:1", with: "there is no GEO name web; weighted are: www.example.")
        try refused("unset", "www", with: "the weights of www are the zone's")
        try refused("shift", "www", "blue-green", "10%/1m", with: "expected shift NAME FROM->TO")
        try refused("shift", "www", "blue->green", "10/1m", with: "like 10%/1m")
        try refused(
            "shift", "www", "green->blue", "10%/1m", with: "green has no share to give away")
        try refused("shift", "www", "pause", with: "the weights of www are the zone's")
        #expect(try server.control("overrides").text == "nothing is overridden\n")
        let wrong = try server.control("status", "--for", "2h")
        #expect(wrong.status == 2 && wrong.text.contains("--for belongs to"), "\(wrong.text)")
    }

    @Test func withoutAStateFolderItSaysSo() throws {
        let server = try TestServer(zones: [("example.zone", zone)])
        let reply = try server.control("drain", "fra")
        #expect(reply.status == 0 && reply.text.contains("warning: this holds until geodnsd ends"))
    }

    @Test func aDiskThatCannotBeWrittenIsTold() throws {
        let server = try TestServer(
            zones: [("example.zone", zone)], arguments: ["--state", folder.path + "/nowhere"])
        let reply = try server.control("drain", "fra")
        #expect(reply.status == 0 && reply.text.contains("warning: this holds, but may be lost"))
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.8.1"] })
    }

    /// A canary: some clients get something else, and the scope says how many.
    @Test func anOrderMayHoldForSomeClients() throws {
        try folder.write(try smallDatabase(), to: "world.mmdb")
        func start() throws -> TestServer {
            try TestServer(
                zones: [("example.zone", zone)], geoData: folder.path + "/world.mmdb",
                arguments: ["--state", folder.path])
        }
        func check(_ server: TestServer) {
            #expect(
                eventually {
                    server.client.addresses("www.example.", subnet: "203.0.113.0/24")
                        == ["127.0.8.2"]
                })
            #expect(
                server.client.addresses("www.example.", subnet: "198.51.100.0/24")
                    == ["127.0.8.1"])
            #expect(
                server.client.addresses("www.example.", subnet: "192.0.2.0/24") == ["127.0.8.1"])
            #expect(
                eventually {
                    server.client.addresses("app.example.", subnet: "192.0.2.77/32")
                        == ["127.0.8.1"]
                })
            #expect(
                server.client.addresses("app.example.", subnet: "192.0.2.200/32")
                    == ["127.0.8.2"])
            // Who is asked about is told in the answer, no wider than it holds.
            let scope = server.client.ask("www.example.", subnet: "203.0.113.0/24")?
                .clientSubnetScope
            #expect(scope.map { (6...24).contains($0) } ?? false, "\(String(describing: scope))")
            let narrow = server.client.ask("app.example.", subnet: "192.0.2.77/32")?
                .clientSubnetScope
            #expect(narrow == 26, "\(String(describing: narrow))")
            #expect(
                server.client.ask("only.example.", subnet: "192.0.2.77/32")?
                    .clientSubnetScope == 0)
        }
        do {
            let server = try start()
            #expect(
                try server.control(
                    "set", "www", "blue:0", "green:1", "--client", "country=JP", "--for", "2h"
                ).text.contains("for country=JP until 20"))
            #expect(
                try server.control("drain", "fra", "--client", "net=192.0.2.64/26").status == 0)
            check(server)
            #expect(try server.control("reload").status == 0)
            check(server)
            kill(server)
        }
        let server = try start()
        check(server)
        #expect(try server.control("regions").text.contains(#/(?m)^fra +up +127\.0\.8\.2/#))
        #expect(try server.control("unset", "www").status == 1)
        #expect(try server.control("unset", "www", "--client", "country=JP").status == 0)
        #expect(
            eventually {
                server.client.addresses("www.example.", subnet: "203.0.113.0/24")
                    == ["127.0.8.1"]
            })
        #expect(server.client.ask("www.example.", subnet: "203.0.113.0/24")?.clientSubnetScope == 0)
    }

    @Test func withoutADatabaseNobodyIsKnownToBeInACountry() throws {
        let server = try start()
        let refused = try server.control("drain", "fra", "--client", "country=US")
        #expect(refused.status == 1 && refused.text.contains("without a location database"))
        #expect(try server.control("drain", "fra", "--client", "net=127.0.0.0/8").status == 0)
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.8.1"] })
    }

    // MARK: - Safety rules

    @Test func whatWouldLeaveTooLittleIsRefusedWithTheArithmetic() throws {
        let server = try start(nil, "--minimum-regions", "2")
        let refused = try server.control("drain", "fra")
        #expect(refused.status == 1)
        #expect(
            refused.text.contains(
                "app.example. would be left with 1 of 2 regions (iad), and minimum-regions is 2"),
            "\(refused.text)")
        #expect(refused.text.contains("--force does it all the same"))
        #expect(server.client.addresses("app.example.") == ["127.0.8.2"])
        #expect(try server.control("drain", "fra", "--force").status == 0)
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.8.1"] })
        #expect(
            server.process.text.contains(
                #/warning override: ordered .* forced="app\.example\. would be left with 1 of 2/#))
    }

    @Test func capacityThatWouldBeLeftIsCounted() throws {
        let text = zone.replacing("38.95 -77.45", with: "38.95 -77.45 capacity=30")
            .replacing("50.03 8.57", with: "50.03 8.57 capacity=70")
            .replacing("only 1 GEO failover iad\n", with: "")
        let server = try start(text, "--minimum-capacity", "50%")
        // What is down already counts as gone.
        let refused = try server.control("down", "fra")
        #expect(
            refused.text.contains(
                "app.example. would be left with 30 of 100 of its capacity, 30 % (iad), and "
                    + "minimum-capacity is 50 %"), "\(refused.text)")
        #expect(try server.control("drain", "iad").text.contains("drain iad"))
        let last = try server.control("drain", "fra")
        #expect(last.text.contains("0 of 100 of its capacity, 0 %, and"), "\(last.text)")
    }

    // MARK: - Weights

    @Test func blueBecomesGreenAtTheNextQueryAndBack() throws {
        let server = try start()
        #expect(server.client.addresses("www.example.") == ["127.0.8.1"])
        #expect(
            try server.control("set", "www", "blue:0", "green:100").text
                == "set www.example. blue:0 green:100\n")
        #expect(eventually { server.client.addresses("www.example.") == ["127.0.8.2"] })
        kill(server)
        let next = try start()
        #expect(next.client.addresses("www.example.") == ["127.0.8.2"])
        #expect(try next.control("unset", "www.example.").status == 0)
        #expect(eventually { next.client.addresses("www.example.") == ["127.0.8.1"] })
    }

    @Test func aShiftMovesSharesAndStopsWhenTheReceiverIsNotWell() throws {
        do {
            let server = try start()
            let reply = try server.control("shift", "www", "blue->green", "50%/1h")
            #expect(reply.status == 0, "\(reply.text)")
            #expect(server.process.waitForOutput("info shift: a step order=shift"))
            fra.behave(then: .answer(status: 500))
            #expect(server.process.waitForOutput("warning shift: stopped"))
            #expect(server.process.text.contains("stopped: fra is down"))
            #expect(try server.control("overrides").text.contains("stopped: fra is down"))
            #expect(eventually { kept.contains("paused=\"fra is down\"") }, "\(kept)")
            let refused = try server.control("shift", "www", "resume")
            #expect(refused.status == 1 && refused.text.contains("green is not well: fra is down"))
            kill(server)
        }
        let server = try start()
        #expect(try server.control("overrides").text.contains("stopped: fra is down"))
        fra.behave(then: .answer(status: 200))
        #expect(server.process.waitForOutput("info up target=fra"))
        #expect(try server.control("shift", "www", "resume").status == 0)
        #expect(server.process.waitForOutput("info shift: resumed"))
        #expect(try server.control("shift", "www", "abort").text.contains("zone's weights"))
        #expect(try server.control("shift", "www", "blue->green", "100%/1h").status == 0)
        #expect(server.process.waitForOutput("info shift: everything is moved"))
        #expect(eventually { server.client.addresses("www.example.") == ["127.0.8.2"] })
        #expect(try server.control("shift", "www", "abort").text.contains("zone's weights"))
        #expect(eventually { server.client.addresses("www.example.") == ["127.0.8.1"] })
    }

    @Test func aShiftThatIsPausedOutlivesTheProcess() throws {
        do {
            let server = try start()
            #expect(try server.control("set", "www", "blue:3", "green:1").status == 0)
            #expect(try server.control("shift", "www", "blue->green", "25%/1h").status == 0)
            #expect(try server.control("shift", "www", "pause").status == 0)
            kill(server)
        }
        let server = try start()
        #expect(try server.control("overrides").text.contains(#/25 % moved, stopped: by \w+/#))
        let object = try #require(
            try JSONSerialization.jsonObject(
                with: Data(try server.control("overrides", "--json").text.utf8)) as? [String: Any])
        #expect(object["weights"] as? [String: Int] == ["blue": 9, "green": 7])
        let shift = try #require(object["shift"] as? [String: Any])
        #expect(shift["movedPercent"] as? Int == 25 && shift["state"] as? String == "stopped")
        // Back to what was set before.
        #expect(
            try server.control("shift", "www", "abort").text
                == "aborted: set www.example. blue:3 green:1\n")
    }
}
