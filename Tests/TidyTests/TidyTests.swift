import Foundation
import Testing

/// The layer table of docs/architecture.md, from the bottom up: a target imports only from rows
/// below its own.
private let layers: [[String]] = [
    ["CLinux", "CXDP", "CMaxMindDB", "CCurl", "CSystemd", "CYAML"],
    ["SystemCalls", "Addressing", "Tables", "Diagnostics"],
    ["DNSWire", "Frames", "Geography"],
    ["Health"],
    ["Zones"],
    ["Steering"],
    ["Responder", "Survey", "XDP"],
    [
        "Transport", "HealthMonitor", "ZoneFile", "GeoSources", "Configuration", "Administration",
        "DatabaseBuilder",
    ],
    ["Loader"],
    ["Server"],
    ["geodnsd", "geodns-check", "geodnsctl", "geodns-mmdb"],
]

/// Pure Swift: no I/O, no clock.
private let core = [
    "DNSWire", "Addressing", "Tables", "Health", "Geography", "Zones", "Steering", "Responder",
    "Survey", "Diagnostics", "Frames",
]

/// Where `unsafe` may stand: callers of C and of the kernel, and the storage of tables. A file that
/// joins this list is read with that in mind.
private let unsafeFiles: Set<String> = [
    "Administration/ControlClient.swift", "Administration/ControlSocket.swift",
    "Administration/ControlStream.swift", "Configuration/Console.swift",
    "Configuration/YAMLReader.swift", "Frames/FrameReply.swift",
    "Frames/InternetChecksum.swift",
    "GeoSources/DatabaseImage.swift",
    "GeoSources/DatabaseReader.swift", "GeoSources/MaxMindDatabase+Load.swift",
    "Geography/LocationTable.swift",
    "HealthMonitor/Conversation.swift", "HealthMonitor/Delivery.swift",
    "HealthMonitor/Flights.swift",
    "HealthMonitor/HealthMonitor.swift", "HealthMonitor/Multi.swift",
    "HealthMonitor/Poller.swift", "HealthMonitor/RunningProgram.swift",
    "HealthMonitor/StateFileProbe.swift", "HealthMonitor/Thread.swift",
    "HealthMonitor/Transfer.swift", "HealthMonitor/Verdict.swift", "Loader/FileSystem.swift",
    "Responder/MessageWriter.swift", "Responder/Responder.swift",
    "Server/DurableFile.swift", "Server/Log.swift", "Server/Server.swift",
    "Server/ServiceManager.swift",
    "Steering/AnswerTable.swift", "Steering/SteeringPlan.swift",
    "Steering/SteeringPlanBuilder.swift",
    "SystemCalls/Errno.swift", "SystemCalls/RegularExpression.swift", "Tables/CounterArray.swift",
    "Tables/FrozenArray.swift", "Tables/ScratchArray.swift",
    "Tables/Words.swift", "Transport/DatagramBatch.swift",
    "Transport/Listeners.swift", "Transport/Poller.swift", "Transport/SocketAddress.swift",
    "Transport/FrameKeeper.swift",
    "Transport/StreamConnections.swift", "Transport/WorkerThread.swift",
    "Zones/ServiceHints.swift", "Zones/ZoneTable.swift",
    "XDP/NetworkInterface.swift", "XDP/XDPProgram.swift", "XDP/XDPQueue.swift",
    "geodns-check/ServerExchange.swift", "geodns-check/Streams.swift", "geodns-mmdb/Files.swift",
]

@Suite struct Layers {
    @Test func everyTargetHasARow() {
        let targets = Set(SourceTree.sources.map(\.target))
        let known = Set(layers.flatMap { $0 })
        #expect(targets.subtracting(known) == [], "add them to the layer table")
        #expect(targets.count > 20)
    }

    @Test func importsComeFromRowsBelow() {
        var rows: [String: Int] = [:]
        for (row, targets) in layers.enumerated() {
            for target in targets { rows[target] = row }
        }
        for file in SourceTree.sources {
            for module in file.imports {
                guard let row = rows[module] else { continue }
                let own = rows[file.target] ?? 0
                #expect(row < own, "\(file.path) imports \(module), which is not in a row below")
            }
        }
    }

    @Test func nothingImportsFoundation() {
        for file in SourceTree.sources {
            let heavy = file.imports.filter { $0.hasPrefix("Foundation") || $0 == "Dispatch" }
            #expect(heavy == [], "\(file.path)")
        }
    }

    @Test func theCoreKnowsNoOperatingSystem() {
        for file in SourceTree.sources where core.contains(file.target) {
            let system = file.imports.filter { ["Glibc", "CLinux", "SystemCalls"].contains($0) }
            #expect(system == [], "\(file.path)")
        }
    }

    /// What a file imports is declared, not had by accident through another target.
    @Test func importsAreDeclaredInThePackage() throws {
        let package = try #require(SourceTree.file("Package.swift")).lines.joined(separator: "\n")
        let pattern = #/(?:layer|program)\(\s*"([^"]+)"(?:,\s*\[([^\]]*)\])?/#
        var dependencies: [String: Set<String>] = [:]
        for match in package.matches(of: pattern) {
            let names = (match.2 ?? "").split(separator: "\"").map(String.init)
            dependencies[String(match.1)] = Set(names)
        }
        let targets = Set(layers.flatMap { $0 })
        for file in SourceTree.sources {
            let declared = try #require(dependencies[file.target], "\(file.target)")
            let used = Set(file.imports).intersection(targets)
            #expect(used.subtracting(declared) == [], "\(file.path)")
        }
    }

    @Test func theArchitectureNamesEveryTarget() throws {
        let text = try #require(SourceTree.file("docs/architecture.md")).lines.joined(
            separator: "\n")
        for target in layers.flatMap({ $0 }) {
            #expect(text.contains("`\(target)`"), "docs/architecture.md does not tell of \(target)")
        }
    }
}

@Suite struct Unsafe {
    @Test func standsOnlyInTheListedFiles() {
        let pattern = #/\bunsafe\b/#
        let found = SourceTree.sources.filter { file in
            file.lines.contains { line in
                !line.drop { $0 == " " }.hasPrefix("//") && line.contains(pattern)
            }
        }
        let paths = Set(found.map { String($0.path.dropFirst("Sources/".count)) })
        #expect(paths.subtracting(unsafeFiles).sorted() == [], "not in the list of this test")
        #expect(unsafeFiles.subtracting(paths).sorted() == [], "in the list without need")
    }

    /// A claim that the compiler cannot check is a claim in words.
    @Test func uncheckedSendableHasItsReason() {
        for file in SourceTree.sources {
            for (number, line) in file.lines.enumerated() where line.contains("@unchecked Sendable")
            {
                let around = file.lines[max(0, number - 12)..<min(file.lines.count, number + 12)]
                #expect(around.contains { $0.contains("SAFETY:") }, "\(file.path):\(number + 1)")
            }
        }
    }
}

@Suite struct Text {
    @Test(arguments: SourceTree.swift) func isTidy(_ file: SourceTree.File) {
        #expect(file.lines.count <= 700, "\(file.path) is too long; split it by idea")
        #expect(file.lines.last == "", "\(file.path) has no newline at its end")
        for (number, line) in file.lines.enumerated() {
            let place: Comment = "\(file.path):\(number + 1)"
            // A string literal is not broken for the sake of the margin.
            #expect(line.count <= (line.contains("\"") ? 120 : 100), place)
            #expect(!line.contains("\t"), place)
            #expect(line.last != " " && line.last != "\r", place)
        }
    }

    @Test func nothingIsLeftForLater() {
        // Written apart, so that this file does not find itself.
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        for file in SourceTree.swift {
            for (number, line) in file.lines.enumerated() {
                #expect(!marks.contains { line.contains($0) }, "\(file.path):\(number + 1)")
            }
        }
    }

    /// Whoever opens a file learns first what its types are for.
    @Test func everyPackageTypeHasADocComment() {
        let pattern = #/^(?:@\w+ )*package (?:final )?(?:struct|class|enum|protocol|typealias) /#
        var count = 0
        for file in SourceTree.sources {
            for (number, line) in file.lines.enumerated() where line.contains(pattern) {
                count += 1
                let above = file.lines[..<number].last { !$0.hasPrefix("@") } ?? ""
                #expect(above.hasPrefix("///"), "\(file.path):\(number + 1)")
            }
        }
        #expect(count > 60)
    }

    @Test func linksInDocumentsLeadToFiles() {
        let pattern = #/\]\(([^)\s]+)\)/#
        for file in SourceTree.documents {
            let folder = SourceTree.root.appending(path: file.path).deletingLastPathComponent()
            for (number, line) in file.lines.enumerated() {
                for match in line.matches(of: pattern) {
                    let target = match.1.prefix { $0 != "#" }
                    guard !target.isEmpty, !target.contains(":") else { continue }
                    let path = folder.appending(path: String(target)).path
                    #expect(
                        FileManager.default.fileExists(atPath: path),
                        "\(file.path):\(number + 1): \(target)")
                }
            }
        }
    }

    @Test func theDocumentsAreThere() {
        let paths = SourceTree.documents.map(\.path)
        #expect(paths.contains("docs/architecture.md") && paths.contains("docs/zone-language.md"))
    }
}
