import CLinux
import Glibc
import SystemCalls

/// The other end of `ControlSocket`: what `geodnsctl` does.
package enum ControlClient {
    /// More than any reply: the status of ten thousand targets is a few megabytes.
    private static let replyByteCountMax = 64 << 20

    /// Sends a command and its arguments to the server at `path` and waits for the reply, at
    /// most `timeout`: a reload reads files and may take its time.
    package static func send(
        _ words: [String], path: String, timeout: Duration = .seconds(60)
    ) throws(ControlError) -> ControlReply {
        let line = ControlRequest.line(words)
        guard line.count <= ControlRequest.byteCountMax else {
            throw .requestTooLong(byteCount: line.count)
        }
        let stream = ControlStream(try connect(path), within: timeout)
        let bytes: [UInt8]
        do throws(Errno) {
            try stream.write(line)
            bytes = try stream.read(byteCountMax: replyByteCountMax)
        } catch {
            throw .interrupted(path: path, error)
        }
        guard let reply = ControlReply(bytes) else { throw .notAReply(path: path) }
        return reply
    }

    private static func connect(_ path: String) throws(ControlError) -> FileDescriptor {
        do throws(Errno) {
            let socket = try FileDescriptor {
                clinux_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue))
            }
            // SAFETY: a string during the call.
            try require { unsafe clinux_connect_path(socket.number, path) }
            return socket
        } catch {
            throw error == .nameTooLong
                ? .pathTooLong(path: path) : .cannotConnect(path: path, error)
        }
    }
}
