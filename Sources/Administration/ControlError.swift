package import SystemCalls

/// Why the control socket could not be made, or a request was not answered.
package enum ControlError: Error, Equatable, Sendable {
    /// Another process answers at this path.
    case inUse(path: String)
    /// Something that is not a socket stands at this path.
    case notASocket(path: String)
    /// A path longer than Unix sockets can have.
    case pathTooLong(path: String)
    case cannotListen(path: String, Errno)
    /// There is no socket, or nobody behind it, or it may not be used.
    case cannotConnect(path: String, Errno)
    case requestTooLong(byteCount: Int)
    /// The connection broke, or time ran out (ETIMEDOUT), in the middle of the exchange.
    case interrupted(path: String, Errno)
    /// What came back is no reply.
    case notAReply(path: String)
}

extension ControlError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .inUse(let path):
            "another geodnsd is answering on \(path); stop it, or use --control PATH"
        case .notASocket(let path):
            "\(path) exists and is not a socket; remove it, or use --control PATH"
        case .pathTooLong(let path):
            "\(path) is too long for a socket: at most 107 bytes; use --control PATH"
        case .cannotListen(let path, let reason):
            """
            cannot make the control socket \(path): \(reason); \
            does its directory exist, and may this user write there? use --control PATH
            """
        case .cannotConnect(let path, .permissionDenied):
            """
            may not use \(path): \(Errno.permissionDenied); \
            it belongs to the user that geodnsd runs as; become that user or root
            """
        case .cannotConnect(let path, let reason):
            "no geodnsd is listening on \(path): \(reason); is it running? use --control PATH"
        case .requestTooLong(let byteCount):
            """
            the request is \(byteCount) bytes long, at most \(ControlRequest.byteCountMax) are \
            read; use shorter words
            """
        case .interrupted(let path, .timedOut):
            "geodnsd did not answer on \(path) in time; its log may tell why"
        case .interrupted(let path, let reason):
            "the connection to \(path) broke: \(reason); the log of geodnsd may tell why"
        case .notAReply(let path):
            """
            what answers on \(path) did not send a whole reply; is it geodnsd, and did it stop \
            meanwhile?
            """
        }
    }
}
