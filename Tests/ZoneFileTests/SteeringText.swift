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
        + draft.checks.map { "\($0.owner)  CHECK  \(text($0.value))" }
        + draft.regions.map { "\($0.owner)  REGION  \(text($0.value))" }
        + draft.geos.map { geo in
            let ttl = "\(geo.value.ttl.maximum)/\(geo.value.ttl.minimum)"
            return "\(geo.owner)  \(ttl)  GEO  \(text(geo.value.record))"
        }
        + draft.mapLines.map { "\($0.owner)  MAP  \(text($0.value))" }
}

private func text(_ record: CheckRecord) -> String {
    let check = record.specification
    var words: [String] = []
    switch check.kind {
    case .http(let path): words += ["http", path, "port=\(check.port)"]
    case .https(let path): words += ["https", path, "port=\(check.port)"]
    case .tcp: words += ["tcp", "\(check.port)"]
    case .tls: words += ["tls", "\(check.port)"]
    case .dns(let question): words += text(question) + ["port=\(check.port)"]
    case .ping: words += ["ping"]
    case .exec(let program): words += ["exec", quoted(Array(program.utf8))]
    case .file(let path): words += ["file", quoted(Array(path.utf8))]
    case .load(let path): words += ["load", path, "port=\(check.port)"]
    }
    if let host = check.host { words.append("host=\(host)") }
    if let name = check.serverName { words.append("sni=\(name)") }
    switch check.kind {
    case .http, .https, .load:
        let ranges = check.expectedStatuses.map { "\($0.lowerBound)-\($0.upperBound)" }
        words.append("expect=\(ranges.joined(separator: ","))")
    default: break
    }
    if check.method != .get { words.append("method=\(check.method.rawValue)") }
    if check.usesHTTP2 { words.append("http2=on") }
    if check.usesTLS { words.append("tls=on") }
    if !check.contains.isEmpty { words.append("contains=\(quoted(check.contains))") }
    if let pattern = check.pattern { words.append("matches=\(quoted(Array(pattern.utf8)))") }
    if check.certificateDays > 0 { words.append("cert-days=\(check.certificateDays)") }
    if !check.send.isEmpty { words.append("send=\(quoted(check.send))") }
    if !check.receive.isEmpty { words.append("receive=\(quoted(check.receive))") }
    if let ageMax = check.ageMax { words.append("max-age=\(milliseconds(ageMax))") }
    if !check.metrics.isEmpty {
        let list = check.metrics.map { "\($0.figure.rawValue):\($0.name)" }
        words.append("metrics=\(list.joined(separator: ","))")
    }
    if let rate = check.loadLimits.errorRate { words.append("max-error-rate=\(rate)") }
    if let p99 = check.loadLimits.p99 { words.append("max-p99=\(milliseconds(p99))") }
    if let queue = check.loadLimits.queue { words.append("max-queue=\(queue)") }
    words += [
        "every=\(milliseconds(check.every))", "fast=\(milliseconds(check.fast))",
        "timeout=\(milliseconds(check.timeout))", "fall=\(check.fall)", "rise=\(check.rise)",
    ]
    if let source = check.source { words.append("from=\(source)") }
    if let quorum = record.quorum { words.append("quorum=\(quorum)") }
    return words.joined(separator: " ")
}

private func text(_ question: DNSQuestion) -> [String] {
    var words = ["dns", "\(question.name)", "\(question.type)"]
    if question.isOverTCP { words.append("over=tcp") }
    let codes = question.expectedCodes.map { code in
        DNSQuestion.codeNames.first { $0.code == code }?.name ?? "?"
    }
    let data = question.expectedData.map { data in
        RecordPresentation.rdata(data[...], type: question.type)
    }
    let expected = (codes + data).joined(separator: ",")
    return expected.isEmpty ? words : words + ["expect=\(expected)"]
}

/// In quotes, with every byte but letters and digits as `\DDD`.
private func quoted(_ bytes: [UInt8]) -> String {
    let text = bytes.map { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "/"):
            String(UnicodeScalar(byte))
        default: #"\"# + [byte / 100, byte / 10 % 10, byte % 10].map { "\($0)" }.joined()
        }
    }
    return "\"\(text.joined())\""
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
    case .hash: words.append("hash")
    case .random: words.append("random")
    case .roundRobin: words.append("round-robin")
    case .all: words.append("all")
    case .fastest: words.append("fastest")
    case .twoChoices: words.append("two-choices")
    case .leastConnections: words.append("least-connections")
    case .leastResponseTime: words.append("least-response-time")
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
    if let answers = geo.answers { words.append("answers=\(answers)") }
    if geo.ramp > .zero { words.append("ramp=\(milliseconds(geo.ramp))") }
    if geo.panic > 0 { words.append("panic=\(geo.panic)%") }
    if geo.within > 0 { words.append("within=\(geo.within)%") }
    if geo.skip > 0 { words.append("skip=\(geo.skip)") }
    if geo.isIndependent { words.append("family=independent") }
    if let times = geo.roundTripTimes {
        words.append("rtt=\(String(decoding: times.path, as: UTF8.self))")
    }
    if geo.hold > .zero { words.append("hold=\(milliseconds(geo.hold))") }
    if let spills = geo.spills { words.append("spill=\(spills ? "on" : "off")") }
    if let demand = geo.demand { words.append("demand=\(demand)") }
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
        case .asn(let number): "asn=\(number)"
        case .net(let prefix): "net=\(prefix)"
        }
    switch line.answer {
    case .targets(let targets): return ([selector] + text(targets)).joined(separator: " ")
    case .nearest: return "\(selector) nearest"
    case .none: return "\(selector) none"
    }
}
