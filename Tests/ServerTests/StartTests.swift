import Foundation
import TestSupport
import Testing

/// What is wrong at the start is said clearly, and the exit status tells: 1 a problem, 2 usage.
@Suite struct StartErrors {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(zoneHead, to: "zones/example.com.zone")
    }

    private func start(_ arguments: String...) throws -> (status: Int32?, text: String) {
        try RunningProcess.run(
            Programs.own("geodnsd"),
            ["--zones", folder.path + "/zones", "--control", folder.path + "/control.sock"]
                + arguments)
    }

    // MARK: - Usage

    @Test(arguments: [
        (
            ["--zonse", "x"],
            "unknown option --zonse; did you mean --zones? `geodnsd --help` lists them all"
        ),
        (["-z"], "unknown option -z; `geodnsd --help` lists them all"),
        (["--zones"], "--zones needs a value: --zones DIR"),
        (["--check=yes"], "--check takes no value"),
        (["--workers", "0"], "--workers 0: expected a number from 1 to 1024"),
        (["--workers", "many"], "--workers many: expected a number from 1 to 1024"),
        (["--tcp-connections", "0"], "--tcp-connections 0: expected a number from 1 to 1000000"),
        (
            ["--tcp-connections-per-prefix", "+8"],
            "--tcp-connections-per-prefix +8: expected a number from 1 to 1000000"
        ),
        (["--tcp-idle", "6554"], "--tcp-idle 6554: expected a number from 1 to 6553"),
        (
            ["--proxy-from", "192.0.2.7/24"],
            "--proxy-from 192.0.2.7/24: expected an IP address or a prefix without bits behind it, "
                + "like 192.0.2.7 or 2001:db8:7::/64"
        ),
        (["--workers", "1", "--workers", "2"], "--workers is given twice"),
        (["--log", "xml"], "--log xml: expected json or text"),
        (
            ["--listen", "localhost"],
            "--listen localhost: expected an IP address and perhaps a port, like 192.0.2.53@53 or "
                + "[2001:db8::53]@53"
        ),
        (
            ["--listen", "127.0.0.1@70000"],
            "--listen 127.0.0.1@70000: expected an IP address and perhaps a port, like "
                + "192.0.2.53@53 or [2001:db8::53]@53"
        ),
        (
            ["--xdp", "eth0@0"],
            "--xdp eth0@0: expected an interface and perhaps a port, like eth0 or eth0@53"
        ),
        (
            ["--xdp", "@53"],
            "--xdp @53: expected an interface and perhaps a port, like eth0 or eth0@53"
        ),
        (["--xdp", "eth0", "--xdp", "eth0@53"], "--xdp eth0@53: an interface can be given once"),
        (
            ["--xdp", "eth0@5300"],
            "--xdp eth0@5300: nothing listens on port 5300: the sockets must have the port, too "
                + "(--listen)"
        ),
        (["zones"], "unexpected zones; every setting is an option"),
    ])
    func wrongUsageIsStatus2(_ arguments: [String], _ message: String) throws {
        let (status, text) = try RunningProcess.run(Programs.own("geodnsd"), arguments)
        #expect(status == 2)
        #expect(text == "geodnsd: \(message)\n")
    }

    @Test(arguments: ["geodnsd", "geodns-check", "geodnsctl"])
    func helpAndVersionAreStatus0(_ program: String) throws {
        let help = try run(program, "--help")
        #expect(help.status == 0)
        #expect(help.text.hasPrefix("usage: \(program) [options]"))
        let version = try run(program, "--version")
        #expect(version.status == 0)
        #expect(version.text.wholeMatch(of: /geodns[a-z-]* [0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
        #expect(version.text.hasPrefix(program + " "))
    }

    @Test func theControlProgramKnowsItsUsage() throws {
        #expect(try run("geodnsctl").status == 2)
        #expect(try run("geodnsctl", "--sokcet", "x", "status").status == 2)
        let nobody = try run("geodnsctl", "--control", folder.path + "/nobody.sock", "status")
        #expect(nobody.status == 1)
        #expect(
            nobody.text.hasPrefix(
                "geodnsctl: no geodnsd is listening on \(folder.path)/nobody.sock"))
    }

    /// What is written wrong is told before anybody looks for a server.
    @Test(arguments: [
        ("statsu", "status"), ("stauts", "status"), ("overides", "overrides"), ("event", "events"),
        ("Drain", "drain"), ("undrian", "undrain"), ("dwon", "down"), ("relaod", "reload"),
    ]) func aMistypedCommandIsToldTheNearestOne(_ word: String, _ meant: String) throws {
        let (status, text) = try run(
            "geodnsctl", "--control", folder.path + "/nobody.sock", word, "fra")
        #expect(status == 2)
        #expect(
            text == "geodnsctl: unknown command \(word); did you mean \(meant)? "
                + "`geodnsctl --help` lists all\n")
    }

    @Test(arguments: ["restart", "x", "pu", ""])
    func aCommandThatIsLikeNoneIsToldAll(_ word: String) throws {
        let (status, text) = try run(
            "geodnsctl", "--control", folder.path + "/nobody.sock", word)
        #expect(status == 2)
        #expect(
            text == "geodnsctl: unknown command \(word); there are status, regions, events, "
                + "overrides, drain, down, up, undrain, clear, set, unset, shift, reload, stop\n")
    }

    // MARK: - Location database

    @Test func aGoodDatabaseIsTaken() throws {
        let file = try folder.write(try smallDatabase(), to: "world.mmdb")
        #expect(try start("--check", "--geo-data", file).status == 0)
        #expect(try start("--check", "--geo-data", folder.path).status == 0)
    }

    @Test func aMissingDatabaseIsAnError() throws {
        let file = folder.path + "/missing.mmdb"
        let (status, text) = try start("--geo-data", file)
        #expect(status == 1)
        #expect(
            text.contains(
                "\(file): error: cannot read the location database: No such file or directory"))
    }

    @Test func aFolderWithoutDatabaseIsAnError() throws {
        let (status, text) = try start("--geo-data", folder.path)
        #expect(status == 1)
        #expect(text.contains("\(folder.path): error: no location database"))
        #expect(text.contains("make geo-data"))
    }

    @Test func somethingElseIsNoDatabase() throws {
        let file = try folder.write("<html>Not found</html>", to: "world.mmdb")
        let (status, text) = try start("--geo-data", file)
        #expect(status == 1)
        #expect(text.contains("\(file): error: no MaxMind DB metadata at the end of the file"))
        let empty = try folder.write("", to: "empty.mmdb")
        #expect(try start("--geo-data", empty).text.contains("\(empty): error: the file is empty"))
    }

    /// However much is missing, at either end: never a crash, always a message.
    @Test(arguments: [1, 2, 10, 50, 90, 99])
    func aTruncatedDatabaseIsAnError(_ percent: Int) throws {
        let whole = try smallDatabase()
        let kept = whole.count * percent / 100
        for (name, bytes) in [
            ("head.mmdb", Array(whole.prefix(kept))), ("tail.mmdb", Array(whole.suffix(kept))),
        ] {
            let file = try folder.write(bytes, to: name)
            let (status, text) = try start("--check", "--geo-data", file)
            #expect(status == 1, "\(name) \(percent) %")
            #expect(text.contains("\(file): error: "), "\(text)")
        }
    }

    // MARK: - Ports and sockets

    @Test func aSecondServerOnTheSameAddressIsAnError() throws {
        let first = try TestServer(zones: [("example.com.zone", zoneHead)])
        let (status, text) = try start(
            "--geo-data", "none", "--listen", "127.0.0.1@\(first.port)")
        #expect(status == 1)
        #expect(
            text.contains("cannot listen on 127.0.0.1@\(first.port) (UDP): address already in use"),
            "\(text)")
        #expect(text.contains("is another DNS server running?"))
        // The first goes on.
        #expect(first.client.addresses("ns1.example.com") == ["192.0.2.53"])
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/control.sock"))
    }

    @Test(arguments: ["UDP", "TCP"]) func aPortInUseIsAnError(_ transport: String) throws {
        var holder = try HeldPort(isDatagram: transport == "UDP")
        var (status, text) = try start(
            "--geo-data", "none", "--listen", "127.0.0.1@\(holder.port)")
        // Another test may have taken the port of the other transport meanwhile.
        for _ in 0..<5 where !text.contains("(\(transport))") {
            holder = try HeldPort(isDatagram: transport == "UDP")
            (status, text) = try start(
                "--geo-data", "none", "--listen", "127.0.0.1@\(holder.port)")
        }
        #expect(status == 1)
        #expect(
            text.contains(
                "cannot listen on 127.0.0.1@\(holder.port) (\(transport)): address already in use"),
            "\(text)")
    }

    @Test func anAddressOfAnotherMachineIsAnError() throws {
        let (status, text) = try start("--geo-data", "none", "--listen", "192.0.2.53@5353")
        #expect(status == 1)
        #expect(text.contains("cannot listen on 192.0.2.53@5353 (UDP): "))
        #expect(text.contains("it is not an address of this machine"))
    }

    @Test func aControlSocketInUseIsAnError() throws {
        let first = try TestServer(zones: [("example.com.zone", zoneHead)])
        let path = first.folder.path + "/control.sock"
        let (status, text) = try run(
            "geodnsd", "--zones", folder.path + "/zones", "--geo-data", "none", "--listen",
            "127.0.0.1@0", "--control", path)
        #expect(status == 1)
        #expect(text.contains(path))
        #expect(text.contains("--control PATH"))
        // Still the first one's.
        #expect(try first.control("status").status == 0)
    }

    @Test func aSocketFileOfACrashedServerIsReplaced() throws {
        let first = try TestServer(zones: [("example.com.zone", zoneHead)])
        let path = first.folder.path + "/control.sock"
        first.process.send(SIGKILL)
        #expect(first.process.waitForExit() == 128 + SIGKILL)
        #expect(FileManager.default.fileExists(atPath: path))
        let second = try TestServer(
            zones: [("example.com.zone", zoneHead)], control: path)
        #expect(try run("geodnsctl", "--control", path, "status").status == 0)
        #expect(second.process.stop() == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func aFileInPlaceOfTheSocketIsLeftAlone() throws {
        let path = try folder.write("precious", to: "file.txt")
        let (status, text) = try run(
            "geodnsd", "--zones", folder.path + "/zones", "--geo-data", "none", "--listen",
            "127.0.0.1@0", "--control", path)
        #expect(status == 1)
        #expect(text.contains("\(path) exists and is not a socket"))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test func theFolderOfTheSocketMustBeThere() throws {
        let (status, text) = try run(
            "geodnsd", "--zones", folder.path + "/zones", "--geo-data", "none", "--listen",
            "127.0.0.1@0", "--control", "/nonexistent/control.sock")
        #expect(status == 1)
        #expect(text.contains("cannot make the control socket /nonexistent/control.sock"))
    }

    // MARK: - Log

    @Test func theLogCanBeJSON() throws {
        let server = try TestServer(
            zones: [("example.com.zone", zoneHead)], arguments: ["--log", "json"],
            ready: "\"ready\"")
        server.process.stop()
        let lines = server.process.text.split(separator: "\n")
        #expect(lines.count >= 3)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["event"] is String && object?["level"] is String, "\(line)")
            #expect((object?["time"] as? String)?.hasSuffix("Z") == true)
        }
    }
}

/// A port that somebody else has.
final class HeldPort {
    let port: UInt16
    private let descriptor: Int32

    init(isDatagram: Bool) throws {
        descriptor = socket(
            AF_INET, Int32((isDatagram ? SOCK_DGRAM : SOCK_STREAM).rawValue), 0)
        port = freePort(on: "127.0.0.1")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
        if !isDatagram { listen(descriptor, 1) }
    }

    deinit { close(descriptor) }
}
