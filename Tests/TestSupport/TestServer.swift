import Foundation

/// A `geodnsd` of this package on 127.0.0.1, on a port the kernel chose.
package final class TestServer {
    package let process: RunningProcess
    package let folder: TemporaryFolder
    package let port: UInt16
    package var client: DNSClient { DNSClient(port: port) }

    package struct NotReady: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// The path of its control socket.
    package let controlPath: String

    /// Serves `zones` (file name and text). The location database is `geoData`, or none. `ready`
    /// is what the log says when it is.
    package init(
        zones: [(file: String, text: String)], geoData: String = "none", control: String? = nil,
        arguments: [String] = [], ready: String = " ready"
    ) throws {
        folder = try TemporaryFolder()
        for zone in zones { try folder.write(zone.text, to: "zones/" + zone.file) }
        controlPath = control ?? folder.path + "/control.sock"
        process = try RunningProcess(
            Programs.own("geodnsd"),
            [
                "--zones", folder.path + "/zones", "--geo-data", geoData, "--listen",
                "127.0.0.1@0", "--control", controlPath, "--workers", "2",
            ] + arguments)
        guard process.waitForOutput(ready),
            let found = process.text.firstMatch(of: /127\.0\.0\.1@([0-9]+)/),
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
            Programs.own("geodnsctl"), ["--control", controlPath] + words)
    }
}

/// A `front-door` of this package, ready to be probed.
package final class TestFrontDoor {
    package let process: RunningProcess
    package let port: UInt16

    /// `port` nil: one that is free on `address` now.
    package init(
        _ address: String, port: UInt16? = nil, name: String = "door", mode: String = "ok"
    ) throws {
        self.port = port ?? freePort(on: address)
        process = try RunningProcess(
            Programs.own("front-door"),
            ["--listen", "\(address)@\(self.port)", "--name", name, "--mode", mode])
        guard process.waitForOutput("ready") else {
            throw TestServer.NotReady(description: "front-door:\n\(process.text)")
        }
    }

    deinit { process.stop() }
}

/// A TCP port that nothing listens on now, on a loopback address.
package func freePort(on address: String) -> UInt16 {
    let isIPv6 = address.contains(":")
    let probe = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(probe) }
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    withUnsafeMutablePointer(to: &storage) { pointer in
        if isIPv6 {
            pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                $0.pointee.sin6_family = sa_family_t(AF_INET6)
                _ = inet_pton(AF_INET6, address, &$0.pointee.sin6_addr)
            }
        } else {
            pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                $0.pointee.sin_family = sa_family_t(AF_INET)
                _ = inet_pton(AF_INET, address, &$0.pointee.sin_addr)
            }
        }
        let length = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = bind(probe, $0, socklen_t(length))
            _ = getsockname(probe, $0, &size)
        }
    }
    // The port stands at the same place in both families' addresses.
    return withUnsafeBytes(of: &storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
}
