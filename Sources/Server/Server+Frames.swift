import Configuration
import Frames
import SystemCalls
import Transport
import XDP

// AF_XDP: what `--xdp` asks for, what is told of it, and what `geodnsctl status` shows.
extension Server {
    static func frameKeeper(
        _ settings: ServerSettings, _ log: Log
    ) throws(Errno) -> FrameKeeper? {
        guard !settings.xdp.isEmpty, !settings.checkOnly else { return nil }
        let wanted = settings.xdp.map { FrameSetting(interface: $0.interface, port: $0.port) }
        return try FrameKeeper(wanted) { Server.write($0, to: log) }
    }

    private static func write(_ event: FrameEvent, to log: Log) {
        var level = Log.Level.info
        var message = ""
        var fields = [("interface", event.interface)]
        switch event.change {
        case .started(let mode, let isZeroCopy, let queueCount, let addressCount):
            message = "queries are answered past the sockets"
            fields += [
                ("mode", mode.label + (isZeroCopy ? ", zero-copy" : "")),
                ("queues", "\(queueCount)"), ("addresses", "\(addressCount)"),
            ]
        case .refused(let reason):
            level = .warning
            message = "the sockets answer alone: \(reason)"
        case .ended(let reason):
            level = .warning
            message = "from now on the sockets answer alone: \(reason)"
        case .linkDown:
            level = .warning
            message = "the link is down"
        case .linkUp:
            message = "the link is up"
        case .mtu(let byteCount):
            message = "the MTU has changed"
            fields.append(("mtu", "\(byteCount)"))
        case .addresses(let count):
            message = "addresses have changed"
            fields.append(("addresses", "\(count)"))
        case .addressRefused(let reason):
            level = .warning
            message = "the sockets answer at an address: \(reason)"
        case .capabilitiesKept(let reason):
            level = .warning
            message = reason
        }
        log.write(level, "xdp", message, fields)
    }

    /// Sockets and frames together.
    var transportStatistics: TransportStatistics? {
        guard var sum = workers?.statistics else { return nil }
        for report in frames?.reports ?? [] {
            sum.datagramsReceived += report.figures.received
            sum.datagramsAnswered += report.figures.answered
            sum.proxyHeadersRejected += report.figures.proxyHeadersRejected
        }
        return sum
    }

    /// What `status` shows of each interface.
    func frameRows() -> [(String, String)] {
        (frames?.reports ?? []).flatMap { report -> [(String, String)] in
            let name = "xdp \(report.setting.interface)"
            return [(name, Server.words(report))]
                + Server.rows(report.figures).map {
                    ("\(name) \($0.0)", $0.1)
                }
        }
    }

    private static func words(_ report: FrameReport) -> String {
        switch report.state {
        case .off(let reason): return "off, the sockets answer alone: \(reason)"
        case .serving(let mode, let queueCount, let addressCount, let isUp):
            let copies = report.figures.kernel.isZeroCopy ? ", zero-copy" : ""
            return "\(mode.label)\(copies), queues \(queueCount), port \(report.setting.port),"
                + " addresses \(addressCount)\(isUp ? "" : ", LINK DOWN")"
        }
    }

    private static func rows(_ figures: FrameStatistics) -> [(String, String)] {
        let passed = PassReason.allCases.map { ($0.label, figures.passed[Int($0.rawValue)]) }
        let dropped =
            DropReason.allCases.map { ($0.label, figures.dropped[Int($0.rawValue)]) }
            + [("not-ours", figures.foreign)]
        let lost = [
            ("ring-full", figures.kernel.ringFull), ("no-frame", figures.kernel.fillEmpty),
            ("other", figures.kernel.dropped), ("invalid", figures.kernel.invalid),
            ("no-room-to-send", figures.lost),
        ]
        return [
            ("answered", "\(figures.answered)"), ("not answered", "\(figures.unanswered)"),
            ("lost", text(lost)), ("dropped", text(dropped)), ("passed", text(passed)),
        ]
    }

    /// Those that there were any of; `0` when none.
    private static func text(_ counts: [(String, UInt64)]) -> String {
        let seen = counts.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
        return seen.isEmpty ? "0" : seen.joined(separator: ", ")
    }
}

extension XDPProgram.Mode {
    fileprivate var label: String { self == .native ? "native" : "generic" }
}
