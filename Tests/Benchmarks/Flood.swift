import Foundation
import TestSupport

/// As many queries as the generator can send, for some seconds, from all over the sources.
struct Flood {
    var sentPerSecond: Double
    var repliesPerSecond: Double

    /// More than any server here takes.
    private static let queriesPerSecond = 1_000_000

    /// `queries`: a file with a name and a type on each line.
    static func run(
        _ contender: Contender, queries: String, seconds: Int, over network: BenchNetwork
    ) throws -> Flood {
        // AF_XDP, so that the generator costs less than the server.
        let command = [
            "kxdpgun", "--duration", "\(seconds)", "--qps", "\(queriesPerSecond)", "--infile",
            queries, "--batch", "32", "--interface",
            BenchNetwork.generatorInterface(contender.cable), "--local",
            BenchNetwork.sources, contender.address,
        ]
        var text = ""
        // The socket of the run before may not have been taken down yet.
        try eventually(seconds: 10) {
            text = try network.runGenerator(command, seconds: Double(seconds) + 30)
            return !text.contains("resource is busy")
        }
        guard let sent = text.firstMatch(of: /total queries: +(\d+)/).flatMap({ Double($0.1) }),
            let replies = text.firstMatch(of: /total replies: +(\d+)/).flatMap({ Double($0.1) })
        else { throw BenchNetwork.Failed(description: "kxdpgun printed no totals:\n\(text)") }
        // A server that answers with errors, or one that has only just begun, has no figure.
        let good = text.firstMatch(of: /responded NOERROR: +(\d+)/).flatMap { Double($0.1) } ?? 0
        guard replies > 0, good == replies else {
            throw BenchNetwork.Failed(
                description: "\(contender.name): \(replies - good) of \(replies) replies are not"
                    + " NOERROR\n\(text)")
        }
        return Flood(
            sentPerSecond: sent / Double(seconds), repliesPerSecond: replies / Double(seconds))
    }
}
