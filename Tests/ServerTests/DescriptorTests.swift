import Foundation
import TestSupport
import Testing

/// What happens when there are more TCP connections than the process may have open files.
@Suite struct Descriptors {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(zoneHead, to: "zones/example.com.zone")
    }

    private var control: String { folder.path + "/control.sock" }

    private func command(_ word: String) throws -> (status: Int32?, text: String) {
        try RunningProcess.run(
            Programs.own("geodnsctl"), ["--control", control, word])
    }

    /// A server of one worker with `limit` open files, and a client for it.
    private func start(limit: Int) throws -> (server: RunningProcess, client: DNSClient) {
        let server = try RunningProcess(
            "/bin/sh",
            [
                "-c",
                "ulimit -n \(limit); exec \(Programs.own("geodnsd")) --zones \(folder.path)/zones "
                    + "--geo-data none --listen 127.0.0.1@0 --control \(control) --workers 1 "
                    + "--tcp-idle 600",
            ])
        try #require(server.waitForOutput(" ready"), "\(server.text)")
        let port = try #require(server.text.firstMatch(of: /127\.0\.0\.1@([0-9]+)/)?.1)
        return (server, DNSClient(port: try #require(UInt16(port))))
    }

    private func isAnswered(_ client: DNSClient) -> Bool {
        client.ask("ns1.example.com", overStream: true)?.responseCode == 0
            && client.ask("ns1.example.com")?.responseCode == 0
    }

    @Test func idleConnectionsLeaveSomeForTheRest() throws {
        let (server, client) = try start(limit: 300)
        defer { server.stop() }
        // (300 - 256) / 2
        #expect(server.text.contains("warning descriptors"), "\(server.text)")
        #expect(server.text.contains("limit=300 workers=1 connections=22"), "\(server.text)")
        let idle = try (0..<60).map { _ in try QuerySocket(client, isStream: true) }
        #expect(isAnswered(client))
        #expect(try command("reload").status == 0)
        let status = try command("status").text
        #expect(status.contains(/TCP connections closed for others +39\n/), "\(status)")
        _ = consume idle
    }

    /// The limit may be lowered while it runs, or what else needs descriptors may grow.
    @Test(
        .enabled(
            if: Programs.find("prlimit") != nil, "prlimit is not installed: apt install util-linux")
    )
    func withoutDescriptorsConnectionsMakeRoomForEachOther() throws {
        let (server, client) = try start(limit: 1024)
        defer { server.stop() }
        let text = try command("status").text
        let process = try #require(text.firstMatch(of: /process +([0-9]+)/)?.1)
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
        let (status, output) = try RunningProcess.run(
            try #require(Programs.find("prlimit")),
            ["--pid", "\(process)", "--nofile=\(open + 8):\(open + 8)"])
        try #require(status == 0, "\(output)")
        let idle = try (0..<60).map { _ in try QuerySocket(client, isStream: true) }
        for _ in 0..<10 { #expect(isAnswered(client)) }
        _ = consume idle
    }
}
