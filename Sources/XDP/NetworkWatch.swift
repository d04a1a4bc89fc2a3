import CXDP
package import SystemCalls

/// Tells that something about interfaces or their addresses has changed, not what: whoever hears it
/// looks again.
package struct NetworkWatch: ~Copyable, Sendable {
    private let socket: FileDescriptor

    package init() throws(Errno) {
        socket = try FileDescriptor { cxdp_watch() }
    }

    /// To wait on: readable when something has changed.
    package var descriptor: Int32 { socket.number }

    /// Takes in what it has told. To be called before looking, so that no change is missed.
    package borrowing func forget() { cxdp_forget_changes(socket.number) }
}
