import Addressing
import Diagnostics
import Survey

extension Demand {
    /// Reads lines of `prefix,count`. Nil when any line is at fault.
    static func read(_ bytes: [UInt8], file: String) -> (demand: Demand?, problems: [Diagnostic]) {
        var rows: [(prefix: Prefix, count: Double)] = []
        var problems = ClientTable.read(bytes, file: file, title: ["prefix", "count"]) {
            row throws(ClientTable.Fault) in
            guard row.fields.count == 1, let count = Double(row.fields[0].text), count >= 0,
                count.isFinite
            else {
                throw ClientTable.Fault(
                    column: row.fields.first?.column ?? row.endColumn,
                    message: "expected one number behind the prefix, as in 203.0.113.0/24,1500")
            }
            rows.append((row.prefix, count))
        }
        if problems.isEmpty, rows.allSatisfy({ $0.count == 0 }) {
            problems.append(
                Diagnostic(.error, at: nil, "\(file): nobody asks: there is no count above 0"))
        }
        return problems.isEmpty ? (Demand(rows, title: file), []) : (nil, problems)
    }
}
