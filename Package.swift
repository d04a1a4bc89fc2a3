// swift-tools-version: 6.3
import PackageDescription

/// What every target of ours is compiled with: `grep -w unsafe` is the exact list of risk, and a
/// warning is an error.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A row of the layer table in `docs/architecture.md`: a target imports only from rows below it.
func layer(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies,
        swiftSettings: [
            .treatAllWarnings(as: .error), .enableExperimentalFeature("Lifetimes"),
        ])
}

/// Tests/Fuzz: with GEODNS_FUZZ a program that libFuzzer drives (`make fuzz`), else tests of the
/// same sources. libFuzzer has a `main` of its own, which no other program could be linked with.
let isFuzzing = Context.environment["GEODNS_FUZZ"] != nil
let fuzzingDependencies: [Target.Dependency] = [
    "Addressing", "Configuration", "DNSWire", "DatabaseBuilder", "Diagnostics", "Frames",
    "GeoSources", "Geography", "Health", "Loader", "Responder", "Steering", "TestSupport",
    "Transport", "ZoneFile", "Zones",
]
let fuzzing: Target =
    isFuzzing
    ? .executableTarget(
        name: "fuzz", dependencies: fuzzingDependencies, path: "Tests/Fuzz",
        exclude: ["FuzzTests.swift", "run"],
        swiftSettings: [
            .enableExperimentalFeature("Lifetimes"), .unsafeFlags(["-parse-as-library"]),
        ])
    : .testTarget(
        name: "FuzzTests", dependencies: fuzzingDependencies, path: "Tests/Fuzz",
        exclude: ["EntryPoint.swift", "run"],
        swiftSettings: [
            .treatAllWarnings(as: .error), .enableExperimentalFeature("Lifetimes"),
        ])

let package = Package(
    name: "geodns",
    targets: [
        // Headers and module maps, thin shims.
        .target(name: "CLinux"),
        .target(name: "CXDP"),
        .systemLibrary(
            name: "CMaxMindDB", pkgConfig: "libmaxminddb",
            providers: [.apt(["libmaxminddb-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(
            name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // System calls as Swift values: errors, descriptors. For the edges.
        layer("SystemCalls", ["CLinux"]),

        // Core: pure Swift, no I/O, no clock, no heap while serving.
        layer("Diagnostics"),
        layer("Addressing"),
        layer("Tables"),
        layer("DNSWire", ["Addressing", "Tables"]),
        layer("Frames", ["Addressing", "Tables"]),
        layer("Health", ["Addressing", "DNSWire", "Diagnostics"]),
        layer("Geography", ["Addressing", "Tables"]),
        layer("Zones", ["Addressing", "DNSWire", "Diagnostics", "Health", "Tables"]),
        layer(
            "Steering",
            ["Addressing", "DNSWire", "Diagnostics", "Geography", "Health", "Tables", "Zones"]),
        layer(
            "Responder",
            ["Addressing", "DNSWire", "Geography", "Health", "Steering", "Tables", "Zones"]),

        // All clients at once: who gets what, and who gets something else.
        layer("Survey", ["Addressing", "DNSWire", "Geography", "Steering", "Zones"]),

        // Frames from a network card, past the kernel's sockets.
        layer("XDP", ["Addressing", "Frames", "SystemCalls", "CXDP"]),

        // Edges: they talk to the world.
        layer(
            "ZoneFile",
            ["Addressing", "DNSWire", "Diagnostics", "Health", "SystemCalls", "Zones"]),
        layer("GeoSources", ["Addressing", "Geography", "CMaxMindDB"]),
        layer(
            "HealthMonitor",
            ["Addressing", "DNSWire", "Health", "SystemCalls", "CCurl", "CLinux"]),
        layer(
            "Transport",
            ["Addressing", "Frames", "Health", "Responder", "XDP", "CLinux", "SystemCalls"]),
        layer("Administration", ["CLinux", "SystemCalls"]),
        layer("Configuration", ["Addressing", "DNSWire", "Diagnostics", "SystemCalls", "CYAML"]),

        layer(
            "Loader",
            [
                "Addressing", "DNSWire", "Diagnostics", "Geography", "GeoSources", "Health",
                "Responder", "Steering", "Tables", "ZoneFile", "Zones",
            ]),
        layer(
            "Server",
            [
                "Addressing", "Administration", "Configuration", "DNSWire", "Diagnostics",
                "Frames", "Geography", "Health", "HealthMonitor", "Loader", "Responder",
                "Steering", "Survey", "SystemCalls", "Transport", "XDP", "Zones", "CLinux",
                "CSystemd",
            ]),

        // Thin executables.
        program("geodnsd", ["Configuration", "Server", "SystemCalls"]),
        program(
            "geodns-check",
            [
                "Addressing", "Configuration", "DNSWire", "Diagnostics", "Geography",
                "Health", "HealthMonitor", "Loader", "Responder", "Steering",
                "Survey", "SystemCalls", "ZoneFile", "Zones", "CLinux",
            ]),
        program("geodnsctl", ["Administration", "Configuration"]),

        // Builds location databases; the tests use it too.
        layer("DatabaseBuilder", ["Addressing", "Diagnostics"]),
        program(
            "geodns-mmdb", ["Addressing", "Configuration", "DatabaseBuilder", "Diagnostics"]),

        // A small HTTP front door that can be told to fail: for the demo and the tests.
        program("front-door", ["CLinux"], path: "Tests/FrontDoor"),

        // Processes, clients and folders for the tests that run the built programs.
        .target(
            name: "TestSupport", dependencies: ["Addressing", "DNSWire", "Geography", "Health"],
            path: "Tests/TestSupport",
            swiftSettings: [
                .treatAllWarnings(as: .error),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),

        // What is said in `Tests/Scenarios`, played: in process, and over AF_XDP.
        .target(
            name: "Stories",
            dependencies: [
                "Addressing", "DNSWire", "Diagnostics", "Geography", "Health", "Loader",
                "Responder", "Steering", "ZoneFile", "Zones",
            ],
            path: "Tests/Stories",
            swiftSettings: [
                .treatAllWarnings(as: .error),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),

        // Random zones and queries to other servers and to ours: `make conformance`.
        .target(
            name: "Differential", dependencies: ["DNSWire", "TestSupport"],
            path: "Tests/Conformance/Differential",
            swiftSettings: [
                .treatAllWarnings(as: .error),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),
        .executableTarget(
            name: "conformance", dependencies: ["Differential"],
            path: "Tests/Conformance/Program",
            swiftSettings: [.treatAllWarnings(as: .error)]),

        // Good and hostile traffic for as long as one likes: `make soak`.
        .executableTarget(
            name: "soak", dependencies: ["DNSWire", "Health", "TestSupport", "ZoneFile"],
            path: "Tests/Soak", exclude: ["run"],
            swiftSettings: [.treatAllWarnings(as: .error)]),

        // What a query costs: `make instructions`, `make bench`.
        .executableTarget(
            name: "benchmark",
            dependencies: ["Addressing", "DNSWire", "Geography", "GeoSources", "TestSupport"],
            path: "Tests/Benchmarks", exclude: ["run", "thresholds.json"],
            swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(name: "socket-echo", path: "Tests/Echo"),
        .executableTarget(name: "xdp-flood", path: "Tests/XDPFlood"),
        .executableTarget(
            name: "xdp-echo", dependencies: ["Addressing", "Frames", "XDP"], path: "Tests/XDPEcho",
            swiftSettings: [.treatAllWarnings(as: .error)]),

        tests("AddressingTests", ["Addressing", "TestSupport"]),
        tests("DNSWireTests", ["Addressing", "DNSWire", "Tables", "TestSupport"]),
        tests("FramesTests", ["Addressing", "Frames", "TestSupport"]),
        tests(
            "XDPTests",
            [
                "Addressing", "DNSWire", "Frames", "Geography", "Health", "Loader", "Responder",
                "Stories", "SystemCalls", "TestSupport", "XDP",
            ]),
        tests("HealthTests", ["Addressing", "DNSWire", "Diagnostics", "Health", "TestSupport"]),
        tests("GeographyTests", ["Addressing", "Geography", "TestSupport"]),
        tests(
            "ZoneFileTests",
            ["Addressing", "DNSWire", "Diagnostics", "Health", "ZoneFile", "Zones"]),
        tests(
            "DatabaseBuilderTests",
            ["Addressing", "DatabaseBuilder", "Diagnostics", "CMaxMindDB", "TestSupport"]),
        tests(
            "GeoSourcesTests",
            [
                "Addressing", "DatabaseBuilder", "GeoSources", "Geography", "CMaxMindDB",
                "TestSupport",
            ]),
        tests(
            "HealthMonitorTests",
            ["Addressing", "DNSWire", "Health", "HealthMonitor", "TestSupport"]),
        tests(
            "TransportTests",
            ["Addressing", "Administration", "Responder", "SystemCalls", "Transport"]),
        tests("ScenarioTests", ["Stories"]),
        tests(
            "ServerTests",
            [
                "Addressing", "Administration", "Configuration", "DNSWire", "DatabaseBuilder",
                "Geography", "Health", "Loader", "Responder", "Server", "Steering", "TestSupport",
            ]),
        tests(
            "ComplianceTests",
            [
                "Addressing", "Configuration", "DNSWire", "Geography", "Health", "Loader",
                "Responder", "TestSupport",
            ]),
        tests("InteropTests", ["Addressing", "DNSWire", "DatabaseBuilder", "TestSupport"]),
        tests("ConformanceTests", ["Differential", "TestSupport"]),
        tests(
            "ModelTests",
            [
                "Addressing", "DNSWire", "DatabaseBuilder", "Diagnostics", "GeoSources",
                "Geography", "Health", "Loader", "Responder", "Steering", "Survey", "Zones",
                "TestSupport",
            ]),
        tests("TidyTests", []),
        fuzzing,
    ]
)
