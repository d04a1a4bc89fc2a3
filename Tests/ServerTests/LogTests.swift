import Foundation
import TestSupport
import Testing

/// What reads the log may stop reading; nothing else may stop for that.
@Suite(.serialized) struct LogTests {
    @Test func aLogThatNobodyReadsStopsNothing() throws {
        let folder = try TemporaryFolder()
        let log = folder.path + "/log"
        #expect(mkfifo(log, 0o600) == 0)
        // Open for reading, so that the pipe can be written to, and never read.
        let reader = open(log, O_RDWR | O_CLOEXEC)
        defer { close(reader) }
        let zone = """
            $TTL 1h
            @    SOA ns1 hostmaster 1 2h 30m 2w 1m
                 NS  ns1
            ns1  A   192.0.2.53
            """
        try folder.write(zone, to: "zones/example.com.zone")
        let control = folder.path + "/control.sock"
        let server = try RunningProcess(
            "/bin/sh",
            [
                "-c",
                "exec \(Programs.own("geodnsd")) --zones \(folder.path)/zones --geo-data none "
                    + "--listen 127.0.0.1@0 --control \(control) --workers 1 2>\(log)",
            ])
        defer { server.stop() }
        func command(_ word: String) throws -> (status: Int32?, text: String) {
            try RunningProcess.run(
                Programs.own("geodnsctl"), ["--control", control, word])
        }
        #expect(try eventually { try command("status").status == 0 })
        // Far more than a pipe holds: 30 reloads of 60 errors each.
        let broken = zone + "\n" + String(repeating: "bad A 192.0.2.256\n", count: 60)
        try folder.write(broken, to: "zones/example.com.zone")
        for _ in 0..<30 { #expect(try command("reload").status == 1) }
        try folder.write(zone, to: "zones/example.com.zone")
        #expect(try command("reload").status == 0)
        let status = try command("status").text
        let port = try #require(status.firstMatch(of: /127\.0\.0\.1@([0-9]+)/)?.1)
        let client = DNSClient(port: try #require(UInt16(port)))
        #expect(client.addresses("ns1.example.com") == ["192.0.2.53"])
        #expect(try command("stop").status == 0)
        #expect(server.waitForExit() == 0)
    }
}
