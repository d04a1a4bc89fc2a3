package import Foundation

/// A `geodnsd` of this package on a port the kernel chose, on 127.0.0.1 and ::1.
package final class TestServer {
    package let process: RunningProcess
    package let folder: TemporaryFolder
    package let port: UInt16
    package var client: DNSClient { DNSClient(port: port) }

    package struct NotReady: Error, CustomStringConvertible {
        package let description: String
    }

    /// Serves `zones` (file name and text). The location database is `geoData`, or none.
    package init(
        zones: [(file: String, text: String)], geoData: String = "none", arguments: [String] = []
    ) throws {
        folder = try TemporaryFolder()
        for zone in zones { try folder.write(zone.text, to: "zones/" + zone.file) }
        process = try RunningProcess(
            Programs.own("geodnsd"),
            [
                "--zones", folder.path + "/zones", "--geo-data", geoData, "--listen",
                "127.0.0.1@0", "--control", folder.path + "/control.sock", "--workers", "2",
            ] + arguments)
        guard process.waitForOutput(" ready"),
            let found = process.text.firstMatch(of: /address=127\.0\.0\.1@([0-9]+)/),
            let port = UInt16(found.1)
        else {
            process.stop()
            throw NotReady(description: "geodnsd did not get ready:\n\(process.text)")
        }
        self.port = port
    }

    deinit { process.stop() }

    /// Sends a command to it: exit status and output of `geodnsctl`.
    package func control(_ words: String...) throws -> (status: Int32?, text: String) {
        try RunningProcess.run(
            Programs.own("geodnsctl"), ["--control", folder.path + "/control.sock"] + words)
    }
}

/// A `front-door` of this package.
package final class TestFrontDoor {
    package let process: RunningProcess
    package let port: UInt16

    /// On `address`; port 0 lets the kernel choose.
    package init(
        _ address: String, port: UInt16 = 0, name: String = "door", mode: String = "ok"
    ) throws {
        process = try RunningProcess(
            Programs.own("front-door"),
            ["--listen", "\(address)@\(port)", "--name", name, "--mode", mode])
        guard process.waitForOutput("ready") else {
            throw TestServer.NotReady(description: "front-door:\n\(process.text)")
        }
        let found = process.text.firstMatch(of: /@([0-9]+)/)
        self.port = found.flatMap { UInt16($0.1) } ?? port
    }

    deinit { process.stop() }
}
