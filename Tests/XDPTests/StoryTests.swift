import Addressing
import Responder
import Stories
import TestSupport
import Testing

@testable import XDP

/// Every story of `Tests/Scenarios`, its queries and answers over UDP in frames.
@Suite(.enabled(if: Cable.obstacle == nil, "\(Cable.obstacle ?? "")"))
struct StoryTests {
    @Test(arguments: Story.all) func `a story is the same over AF_XDP`(_ name: String) throws {
        let (faults, count) = try Cable.run { cable in
            let server = try StoryServer(cable)
            var player = StoryPlayer(try Story(name), asking: server.ask)
            try player.play()
            return (player.faults, server.count)
        }
        #expect(faults == [])
        #expect(count > 0)
    }
}

/// At its end of the cable; each query has a responder of its own.
private final class StoryServer {
    private let cable: Cable
    private var frames: CableQueue
    private(set) var count = 0

    init(_ cable: Cable) throws {
        self.cable = cable
        frames = try CableQueue()
    }

    func ask(
        _ served: SnapshotCell, seed: UInt64, query: [UInt8], from client: IPAddress,
        over channel: Channel
    ) throws -> [UInt8] {
        guard channel == .datagram else {
            return StoryPlayer.askInProcess(
                served, seed: seed, query: query, from: client, over: channel)
        }
        var responder = Responder(served, seed: seed)
        let server = client.family == .ipv4 ? Crafted.server4 : Crafted.server6
        count += 1
        var frame = WireFrame(from: client, to: server, payload: query)
        frame.sourcePort = UInt16(1024 + count)
        try cable.send(frame.bytes)
        let deadline = ContinuousClock.now + .seconds(patienceSeconds)
        while ContinuousClock.now < deadline {
            _ = frames.answer { query, client, response in
                responder.respond(to: query, from: client, over: channel, into: &response)
            }
            while let received = cable.receive() {
                guard let reply = Cable.reply(received), reply.port == frame.sourcePort else {
                    continue
                }
                return reply.payload
            }
        }
        throw Cable.Failed(description: "no answer")
    }
}
