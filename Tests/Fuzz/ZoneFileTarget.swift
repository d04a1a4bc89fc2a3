import Addressing
import DNSWire
import Diagnostics
import Foundation
import Health
import Responder
import Steering
import ZoneFile
import Zones

extension FuzzTarget {
    /// Any bytes as a zone file. What is read without an error is printed, and must be read back
    /// the same; a zone that can be served is asked for its names.
    static let zoneFile = FuzzTarget(
        name: "zone-file", byteCountMax: 4096,
        seeds: {
            ["Tests/Vectors/zonefile", "Tests/Vectors/zones"].flatMap { folder -> [[UInt8]] in
                let url = projectFolder.appending(path: folder)
                let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
                return names.sorted().filter { $0.hasSuffix(".in") || $0.hasSuffix(".zone") }
                    .compactMap { try? Array(Data(contentsOf: url.appending(path: $0))) }
                    .filter { $0.count <= 4096 }
            } + [Array(FuzzServer.zone.utf8.prefix(3000))]
        },
        words: {
            let types =
                RRTypeDescriptor.all.map(\.mnemonic) + RRType.withoutDescriptor.map(\.mnemonic)
            let others = [
                "$ORIGIN", "$TTL", "$INCLUDE", "$GENERATE", "\\#", "\\000", "IN", "CLASS1", "TYPE",
                "nearest", "failover", "weighted", "map=", "check=", "require=", "bias=", "backup=",
                "last-resort=", "by=client", "service=", "default", "continent=", "country=",
                "net=", "file=", "asn=", "every=", "fast=", "timeout=", "fall=", "expect=", "port=",
                "alpn=", "mandatory=", "ipv4hint=", "key65535=", "1h30m", "2147483648", "${0,2,d}",
            ]
            return (types + others).map { Array($0.utf8) }
        },
        fault: zoneFileFault)
}

private let projectFolder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

private let origin = DomainName("example.com") ?? .root
private let included = Array("inner A 192.0.2.77\n$INCLUDE other\n TXT \"x\"\nbad word\n".utf8)

private func zoneFileFault(_ input: [UInt8]) -> String? {
    guard !makesTooMany(input) else { return nil }
    let (draft, problems) = ZoneFileParser.parse(input, file: "fuzz.zone", origin: origin) {
        $0 == "other" ? included : nil
    }
    for problem in problems {
        if let fault = placeFault(problem, input) { return fault }
    }
    guard !problems.hasErrors else { return nil }
    return printingFault(draft) ?? servingFault(draft)
}

/// A `$GENERATE` line may make 100,000 records, which takes the fuzzer's time and tells nothing.
private func makesTooMany(_ input: [UInt8]) -> Bool {
    let dollars = input.filter { $0 == UInt8(ascii: "$") }.count
    let longestNumber = input.split { !(0x30...0x39).contains($0) }.map(\.count).max() ?? 0
    return dollars > 0 && longestNumber > 3 && input.contains(UInt8(ascii: "-"))
        && String(decoding: input, as: UTF8.self).uppercased().contains("$GENERATE")
}

/// A problem stands on a line of its file, and at most just behind the line's end.
private func placeFault(_ problem: Diagnostic, _ input: [UInt8]) -> String? {
    guard let place = problem.location else { return "no place: \(problem)" }
    guard place.file == "fuzz.zone" || place.file == "other" else { return "file: \(problem)" }
    let lines = (place.file == "other" ? included : input).split(
        separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard (1...max(lines.count, 1)).contains(place.line) else { return "line: \(problem)" }
    let width = lines.isEmpty ? 0 : lines[place.line - 1].count
    guard (1...(width + 1)).contains(place.column) else { return "column: \(problem)" }
    guard !problem.message.isEmpty, !problem.message.contains("\n") else {
        return "message: \(problem)"
    }
    return nil
}

/// Every record, printed on a line of its own, is read back as it was.
private func printingFault(_ draft: ZoneDraft) -> String? {
    var text = ""
    for record in draft.records {
        guard let owner = DomainName(wire: Array(draft.owner(of: record))) else { return "owner" }
        text +=
            RecordPresentation.line(
                owner: owner, ttl: record.ttl, type: record.type, rdata: draft.rdata(of: record))
            + "\n"
    }
    let (again, problems) = ZoneFileParser.parse(
        Array(text.utf8), file: "printed", origin: origin
    ) { _ in nil }
    if let problem = problems.first { return "printed:\n\(text)\(problem)" }
    guard again.records.count == draft.records.count else { return "printed:\n\(text)" }
    for (one, other) in zip(draft.records, again.records) {
        let isSame =
            one.type == other.type && one.ttl == other.ttl
            && draft.owner(of: one) == again.owner(of: other)
            && draft.rdata(of: one) == again.rdata(of: other)
        if !isSame { return "not the same after it was printed:\n\(text)" }
    }
    return nil
}

/// A zone without errors is served: its first names are asked for.
private func servingFault(_ draft: ZoneDraft) -> String? {
    var drafts = [draft]
    let (table, tableProblems) = ZoneTableBuilder.build(&drafts)
    let (plan, planProblems) = SteeringPlanBuilder.build(
        [draft], table: table, source: FuzzServer.places)
    guard let plan, !(tableProblems + planProblems).hasErrors else { return nil }
    let server = FuzzServer(
        snapshot: Snapshot(zones: table, plan: plan))
    let owners =
        draft.geos.prefix(6).map(\.owner)
        + draft.records.prefix(12).compactMap {
            DomainName(wire: Array(draft.owner(of: $0)))
        }
    for owner in owners {
        for type in [RRType.a, .any] {
            let (_, fault) = server.judge(
                Message.query(owner, type, subnet: ([203, 0, 113, 0], 24)),
                from: FuzzServer.clients[0], over: .datagram)
            if let fault { return "\(owner) \(type): \(fault)" }
        }
    }
    return nil
}
