package import XDP

/// An interface whose queries are to be answered past the kernel's sockets, and the port they come
/// to.
package struct FrameSetting: Equatable, Sendable {
    package var interface: String
    package var port: UInt16

    package init(interface: String, port: UInt16) {
        self.interface = interface
        self.port = port
    }
}

/// Something about such an interface that an operator wants to know. Each is told once.
package struct FrameEvent: Sendable {
    package enum Change: Sendable {
        /// Queries come past the sockets from now on.
        case started(XDPProgram.Mode, isZeroCopy: Bool, queueCount: Int, addressCount: Int)
        /// They do not, and why: the sockets answer.
        case refused(String)
        /// They did, and do no longer, and why.
        case ended(String)
        case linkDown
        case linkUp
        case mtu(Int)
        /// How many addresses queries are taken for now.
        case addresses(Int)
        /// The kernel keeps queries to an address, and why.
        case addressRefused(String)
        /// Rights of this process that could not be given up, and why.
        case capabilitiesKept(String)
    }

    package var interface: String
    package var change: Change
}
