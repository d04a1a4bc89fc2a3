import DatabaseBuilder

/// Builds the country database; the result is a line for the operator.
func buildWorldCountry(_ inputs: WorldCountryInputs, output: String) throws -> String {
    let epoch = try buildEpoch(of: [inputs.ipv4, inputs.ipv6, inputs.zoneTab, inputs.names])
    var world = try WorldCountry(
        zoneTab: try readSource(inputs.zoneTab), names: try readSource(inputs.names))
    try world.add(try readSource(inputs.ipv4), family: .ipv4)
    try world.add(try readSource(inputs.ipv6), family: .ipv6)
    let bytes = try world.builder.encode(
        .init(
            databaseType: WorldCountry.databaseType,
            description: WorldCountry.databaseDescription, buildEpoch: epoch))
    try writeFile(output, bytes)
    let skipped = world.skipped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    return "\(output): \(world.rangeCount) ranges, \(bytes.count) bytes"
        + (skipped.isEmpty ? "" : "; ranges of no country left out: \(skipped)")
}

/// Builds a database from the operator's own rows.
func buildFromCSV(_ input: String, output: String) throws -> String {
    let epoch = try buildEpoch(of: [input])
    let table = try PrefixTable(try readSource(input))
    let bytes = try table.builder.encode(
        .init(
            databaseType: PrefixTable.databaseType, description: "Places of the operator's own",
            buildEpoch: epoch))
    try writeFile(output, bytes)
    return "\(output): \(table.rowCount) prefixes, \(bytes.count) bytes"
}
