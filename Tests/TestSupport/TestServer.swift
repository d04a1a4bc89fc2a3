import Foundation
import Synchronization

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
    /// is what the log says when it is. It reloads when a test says so, and by itself only where
    /// `arguments` have `--watch`.
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
            ] + (arguments.contains("--watch") ? [] : ["--watch", "off"]) + arguments)
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

/// A port that nothing has now on a loopback address, UDP and TCP: for programs that cannot say
/// which port the kernel chose for them. Each is given once, and none is one that the kernel
/// chooses (net.ipv4.ip_local_port_range): nobody gets it before the program that it is for.
package func freePort(on address: String) -> UInt16 {
    while true {
        let port = nextPort.withLock { next in
            next = next >= 30_000 ? 20_000 : next + 1
            return next
        }
        if canBind(address, port, SOCK_DGRAM), canBind(address, port, SOCK_STREAM) { return port }
    }
}

private let nextPort = Mutex<UInt16>(.random(in: 20_000...30_000))

private func canBind(_ address: String, _ port: UInt16, _ type: __socket_type) -> Bool {
    let isIPv6 = address.contains(":")
    let probe = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(type.rawValue), 0)
    defer { close(probe) }
    if isIPv6 {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = port.bigEndian
        _ = inet_pton(AF_INET6, address, &name.sin6_addr)
        return bound(probe, &name)
    }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    _ = inet_pton(AF_INET, address, &name.sin_addr)
    return bound(probe, &name)
}

private func bound<Name>(_ socket: Int32, _ name: inout Name) -> Bool {
    withUnsafePointer(to: &name) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(socket, $0, socklen_t(MemoryLayout<Name>.size)) == 0
        }
    }
}
