import Addressing
import DNSWire
import Health
import ZoneFile
import Zones

/// A draft written out again: every line parses back to the same record.
func lines(of draft: ZoneDraft) -> [String] {
    let records = draft.records.map { record in
        RecordPresentation.line(
            owner: DomainName(wire: Array(draft.owner(of: record))) ?? .root, ttl: record.ttl,
            type: record.type, rdata: draft.rdata(of: record))
    }
    return records
        + draft.checks.map { "\($0.owner)  CHECK  \(text($0.value.specification))" }
        + draft.regions.map { "\($0.owner)  REGION  \(text($0.value))" }
        + draft.geos.map { geo in
            let ttl = "\(geo.value.ttl.maximum)/\(geo.value.ttl.minimum)"
            return "\(geo.owner)  \(ttl)  GEO  \(text(geo.value.record))"
        }
        + draft.mapLines.map { "\($0.owner)  MAP  \(text($0.value))" }
}

private func text(_ check: CheckSpecification) -> String {
    var words: [String] = []
    switch check.kind {
    case .http(let path): words += ["http", path, "port=\(check.port)"]
    case .https(let path): words += ["https", path, "port=\(check.port)"]
    case .tcp: words += ["tcp", "\(check.port)"]
    }
    if let host = check.host { words.append("host=\(host)") }
    if check.kind != .tcp {
        let ranges = check.expectedStatuses.map { "\($0.lowerBound)-\($0.upperBound)" }
        words.append("expect=\(ranges.joined(separator: ","))")
    }
    words += [
        "every=\(milliseconds(check.every))", "fast=\(milliseconds(check.fast))",
        "timeout=\(milliseconds(check.timeout))", "fall=\(check.fall)", "rise=\(check.rise)",
    ]
    if let source = check.source { words.append("from=\(source)") }
    return words.joined(separator: " ")
}

private func milliseconds(_ duration: Duration) -> String {
    "\(duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000)ms"
}

private func text(_ region: RegionRecord) -> String {
    var words = ["\(region.latitude)", "\(region.longitude)"]
    words += names("check", region.checks)
    switch region.require {
    case .any: words.append("require=any")
    case .all: words.append("require=all")
    case .count(let count): words.append("require=\(count)")
    case .percent(let percent): words.append("require=\(percent)%")
    }
    if let capacity = region.capacity { words.append("capacity=\(capacity)") }
    words.append("bias=\(region.bias)")
    return words.joined(separator: " ")
}

private func names(_ key: String, _ references: [NameReference]) -> [String] {
    references.isEmpty
        ? [] : ["\(key)=" + references.map(\.name.description).joined(separator: ",")]
}

private func text(_ geo: GeoRecord) -> String {
    var words: [String] = []
    switch geo.policy {
    case .nearest: words.append("nearest")
    case .failover: words.append("failover")
    case .weighted: words.append("weighted")
    case .map(let map): words.append("map=\(map.name)")
    }
    words += text(geo.targets)
    if let service = geo.service {
        let labels = service.map { String(decoding: $0, as: UTF8.self) }
        words.append("service=" + labels.joined(separator: "."))
    }
    words += names("check", geo.checks)
    words.append(geo.by == .client ? "by=client" : "by=query")
    words += names("backup", geo.backups)
    switch geo.lastResort {
    case .all: words.append("last-resort=all")
    case .first: words.append("last-resort=first")
    case .none: words.append("last-resort=none")
    case .name(let name): words.append("last-resort=\(name.name)")
    }
    words.append(geo.usesClientSubnet ? "ecs=on" : "ecs=off")
    return words.joined(separator: " ")
}

private func text(_ targets: [TargetReference]) -> [String] {
    // A colon of the name itself needs a backslash here, though not in other records.
    targets.map { target in
        let name = target.name.description.split(separator: ":", omittingEmptySubsequences: false)
        return "\(name.joined(separator: #"\:"#)):\(target.weight)"
    }
}

private func text(_ line: MapLine) -> String {
    let selector =
        switch line.selector {
        case .default: "default"
        case .continent(let code): "continent=\(code)"
        case .country(let code): "country=\(code)"
        case .subdivision(let code): "subdivision=\(code)"
        case .city(let area, let name): "city=\"\(area)/\(name)\""
        case .net(let prefix): "net=\(prefix)"
        }
    switch line.answer {
    case .targets(let targets): return ([selector] + text(targets)).joined(separator: " ")
    case .nearest: return "\(selector) nearest"
    case .none: return "\(selector) none"
    }
}
