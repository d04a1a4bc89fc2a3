import Foundation
import TestSupport

/// What it costs to load many names, beside other servers where they are installed: processor time
/// and memory of one run each in turn, and the medians of them.
enum Load {
    static let runCount = 5

    /// Of one run.
    struct Cost {
        /// Of the processor, in user mode.
        var seconds: Double
        /// Resident: the most there was; for a server, what there is when it is ready.
        var megabytes: Double
    }

    /// A program, and how to have it load the zones once.
    struct Contender {
        var name: String
        var run: () throws -> Cost
    }

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    static func report(program: String, database: String) throws {
        let folder = try TemporaryFolder()
        try LoadWorkload.write(to: folder)
        print("processor seconds in user mode, and megabytes resident: medians of \(runCount)\n")
        try compare(
            "one zone of 1,000,000 names, read and checked (megabytes: the most there were)",
            [geodnsdCheck(program, folder), nsdCheck(folder)])
        try compare(
            "one zone of 1,000,000 names, served (megabytes: when ready)",
            [geodnsd(program, folder, "one"), knot(folder, "one")])
        try compare(
            "10,000 zones of ten names, served (megabytes: when ready)",
            [geodnsd(program, folder, "many"), knot(folder, "many")])
        try compare(
            "1,000 names of 8 regions, 1.13 million networks, served (megabytes: when ready)",
            steering(folder, database))
    }

    /// In turn, so that what else the machine does meets all alike. The first is what the others
    /// are compared with.
    private static func compare(_ title: String, _ candidates: [Contender?]) throws {
        let contenders = candidates.compactMap { $0 }
        guard !contenders.isEmpty else { return }
        var costs = [[Cost]](repeating: [], count: contenders.count)
        for _ in 0..<runCount {
            for (index, contender) in contenders.enumerated() {
                costs[index].append(try contender.run())
            }
        }
        print(title)
        let medians = costs.map {
            Cost(seconds: median($0.map(\.seconds)), megabytes: median($0.map(\.megabytes)))
        }
        for (contender, cost) in zip(contenders, medians) {
            let name = contender.name.padding(toLength: 16, withPad: " ", startingAt: 0)
            var line = String(format: "  %@ %6.2f s %6.0f MB", name, cost.seconds, cost.megabytes)
            if contender.name != contenders[0].name {
                line += String(
                    format: "   %.2f times the seconds, %.2f times the megabytes of geodnsd",
                    cost.seconds / medians[0].seconds, cost.megabytes / medians[0].megabytes)
            }
            print(line)
        }
        print("")
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

// MARK: - Who loads

extension Load {
    private static func geodnsdCheck(_ program: String, _ folder: TemporaryFolder) -> Contender {
        Contender(name: "geodnsd") {
            try costOfRun(
                program, ["--check", "--geo-data", "none", "--zones", folder.path + "/one"])
        }
    }

    private static func nsdCheck(_ folder: TemporaryFolder) -> Contender? {
        guard let program = Programs.find("nsd-checkzone") else { return nil }
        return Contender(name: "nsd-checkzone") {
            try costOfRun(
                program, [LoadWorkload.bigZone, "\(folder.path)/one/\(LoadWorkload.bigZone).zone"])
        }
    }

    private static func geodnsd(
        _ program: String, _ folder: TemporaryFolder, _ zones: String
    ) -> Contender {
        Contender(name: "geodnsd") {
            try costOfStart(
                program,
                [
                    "--geo-data", "none", "--zones", "\(folder.path)/\(zones)", "--workers", "1",
                    "--listen", "127.0.0.1@\(freePort(on: "127.0.0.1"))", "--control",
                    folder.path + "/control.sock",
                ], isReadyAt: " ready")
        }
    }

    private static func knot(_ folder: TemporaryFolder, _ zones: String) -> Contender? {
        guard let program = Programs.find("knotd") else { return nil }
        return Contender(name: "knotd") {
            let configuration = LoadWorkload.knotConfiguration(
                folder: folder.path, zones: zones, port: freePort(on: "127.0.0.1"))
            try folder.write(configuration, to: "knot/knot.conf")
            return try costOfStart(
                program, ["-c", folder.path + "/knot/knot.conf"], isReadyAt: "server started")
        }
    }
}

extension Load {
    /// geodnsd and gdnsd, each on a loopback address of its own, at the port that gdnsd takes.
    private static func steering(
        _ folder: TemporaryFolder, _ database: String
    ) throws -> [Contender?] {
        guard getuid() == 0 else {
            progress("gdnsd wants root for port 53: left out")
            return []
        }
        let contenders = Contenders(folder: folder.path, database: database)
        let servers = [
            (try contenders.geodnsd("127.0.7.1", zone: "geo"), " ready"),
            (try contenders.gdnsd("127.0.7.2", zone: "geo"), "DNS listeners started"),
        ]
        return servers.map { server, word in
            server.map { server in
                Contender(name: server.name) {
                    try costOfStart(
                        server.command[0], Array(server.command.dropFirst()), isReadyAt: word)
                }
            }
        }
    }
}

// MARK: - Counting

extension Load {
    /// A program that ends by itself.
    private static func costOfRun(_ program: String, _ arguments: [String]) throws -> Cost {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
        }
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        guard posix_spawn(&child, program, &actions, nil, &words, environ) == 0 else {
            throw Failed(description: "cannot start \(program)")
        }
        var status: Int32 = 0
        var usage = rusage()
        guard wait4(child, &status, 0, &usage) == child, status == 0 else {
            throw Failed(description: "\(program) \(arguments.joined(separator: " ")) failed")
        }
        return Cost(
            seconds: Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6,
            megabytes: Double(usage.ru_maxrss) / 1024)
    }

    /// A server, from its start until it says that it is ready.
    private static func costOfStart(
        _ program: String, _ arguments: [String], isReadyAt word: String
    ) throws -> Cost {
        let process = try RunningProcess(program, arguments)
        defer { process.stop() }
        guard process.waitForOutput(word, seconds: 300) else {
            throw Failed(description: "\(program) did not get ready:\n\(process.text.suffix(500))")
        }
        let folder = "/proc/\(process.identifier)"
        // proc(5): behind the name in parentheses, utime is the twelfth field, in ticks.
        let fields =
            try String(contentsOfFile: folder + "/stat", encoding: .utf8)
            .split(separator: ")").last?.split(separator: " ") ?? []
        let resident = try String(contentsOfFile: folder + "/status", encoding: .utf8)
            .split(separator: "\n").first { $0.hasPrefix("VmRSS:") }?
            .split(whereSeparator: { !$0.isNumber }).first
        guard fields.count > 11, let ticks = Double(fields[11]),
            let kilobytes = resident.flatMap({ Double($0) })
        else { throw Failed(description: "\(folder) is not as expected") }
        return Cost(
            seconds: ticks / Double(sysconf(Int32(_SC_CLK_TCK))), megabytes: kilobytes / 1024)
    }
}
