import Glibc

/// How a system call ended, where failing is a normal event: a thrown error costs a call into the
/// runtime each time, and a socket that has nothing more to read is no exception.
package enum Outcome: Equatable, Sendable {
    case success(Int)
    case failure(Errno)
}

/// The one place where results of system calls become values: a call interrupted by a signal is
/// made again, and a bad descriptor or pointer, which is a mistake in this program, ends it.
package func attempt(_ call: () -> Int) -> Outcome {
    while true {
        let result = call()
        if result >= 0 { return .success(result) }
        let code = errno
        if code == EINTR { continue }
        precondition(code != EBADF && code != EFAULT, "a system call was made with bad arguments")
        return .failure(Errno(code))
    }
}

/// `attempt` for calls that are expected to work.
@discardableResult
package func require<Result: FixedWidthInteger>(
    _ call: () -> Result
) throws(Errno) -> Result {
    switch attempt({ Int(call()) }) {
    case .success(let result): return Result(result)
    case .failure(let error): throw error
    }
}
