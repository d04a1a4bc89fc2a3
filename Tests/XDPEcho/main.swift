import Addressing
import Frames
import Glibc
import XDP

// The ceiling of UDP over AF_XDP: marks each datagram as a response and sends it back, from the
// first queue of an interface. What `socket-echo` is for sockets. usage: xdp-echo INTERFACE ADDRESS
// PORT

/// Prints what is wrong, and ends.
func fail(_ words: String, _ status: Int32) -> Never {
    print("xdp-echo: \(words)")
    exit(status)
}

/// Answers until waiting fails, which it does not.
func echo(_ queue: consuming XDPQueue, _ filter: FrameFilter, mtu: Int) {
    var waiting = pollfd(fd: queue.descriptor, events: Int16(POLLIN), revents: 0)
    while poll(&waiting, 1, -1) >= 0 || errno == EINTR {
        _ = queue.answer(queue.receive(), filter, mtu: mtu) { query, _, response in
            guard query.count >= 12, query.count <= response.count else { return 0 }
            for index in 0..<query.count { response[index] = query[index] }
            response[2] |= 0x80
            return query.count
        }
    }
}

let words = CommandLine.arguments
guard words.count == 4, let address = IPAddress(words[2]), let port = UInt16(words[3]) else {
    fail("usage: xdp-echo INTERFACE ADDRESS PORT", 2)
}
do throws(XDPError) {
    let interface = try NetworkInterface(named: words[1])
    let queue = try XDPQueue(interface, queue: 0)
    var program = try XDPProgram(interface, port: port)
    try program.serve(queue)
    try program.add(address)
    let mode = try program.attach()
    print("ready: \(mode), \(interface.name), \(address)")
    fflush(nil)
    echo(queue, program.filter, mtu: interface.mtu)
} catch {
    fail(error.description, 1)
}
