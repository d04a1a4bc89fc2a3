package import Addressing
import CXDP
package import Frames
import Glibc
package import SystemCalls

/// The program in the kernel that hands us the frames that are ours, before the kernel looks at
/// them, and its maps.
///
/// Start: make it, open and `serve` the queues, `add` the addresses, and `attach` as the last.
/// From then on frames come. When it is let go of, or the process ends in whatever way, the
/// kernel has every frame to itself again.
package struct XDPProgram: ~Copyable, Sendable {
    /// How the program is attached.
    package enum Mode: Sendable, CaseIterable {
        /// In the driver of the card, before the kernel has made anything of a frame.
        case native
        /// In the kernel, for drivers that cannot.
        case generic
    }

    /// Addresses that one program can have.
    package static let addressCountMax = 4096

    package let interface: NetworkInterface
    package let filter: FrameFilter
    private let program: FileDescriptor
    private let sockets: FileDescriptor
    private let addresses: FileDescriptor
    private let passed: FileDescriptor
    /// Not `?`, which would be nil by itself before the others are there: an initializer of a
    /// noncopyable type that throws must not have begun (Swift 6.3).
    private var link: Optional<FileDescriptor>

    /// Loads the program, for queries to `port`. It is attached to nothing yet, and has no
    /// address and no queue.
    package init(_ interface: NetworkInterface, port: UInt16) throws(XDPError) {
        let filter = FrameFilter(
            hardwareAddress: interface.hardwareAddress, port: port,
            frameByteCountMax: XDPQueue.frameByteCountMax)
        let maps = try XDPProgram.makeMaps(interface)
        let sockets = FileDescriptor(maps.sockets)
        let addresses = FileDescriptor(maps.addresses)
        let passed = FileDescriptor(maps.passed)
        let program = try XDPProgram.load(interface, filter, maps)
        self.interface = interface
        self.filter = filter
        self.sockets = sockets
        self.addresses = addresses
        self.passed = passed
        self.program = program
        link = nil
    }

    private static func makeMaps(_ interface: NetworkInterface) throws(XDPError) -> cxdp_maps {
        var maps = cxdp_maps()
        do throws(Errno) {
            // SAFETY: used during the call only.
            try require {
                unsafe cxdp_make_maps(
                    &maps, UInt32(interface.queueCount), UInt32(XDPProgram.addressCountMax))
            }
        } catch {
            throw XDPError(interface.name, .makeMaps, error)
        }
        return maps
    }

    private static func load(
        _ interface: NetworkInterface, _ filter: FrameFilter, _ maps: cxdp_maps
    ) throws(XDPError) -> FileDescriptor {
        let instructions = XDPProgram.assemble(filter, maps)
        var log = [CChar](repeating: 0, count: 1 << 16)
        do throws(Errno) {
            // SAFETY: both arrays are as long as the kernel is told, and used during the call only.
            return try FileDescriptor {
                unsafe cxdp_load(instructions, Int32(instructions.count), &log, UInt32(log.count))
            }
        } catch {
            // The last lines tell what it does not like.
            let words = String(
                decoding: log.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let lines = words.split(separator: "\n").suffix(4).joined(separator: "\n")
            throw XDPError(interface.name, .loadProgram, error, log: lines)
        }
    }

    private static func assemble(_ filter: FrameFilter, _ maps: cxdp_maps) -> [cxdp_instruction] {
        let address = filter.hardwareAddress
        func byte(_ index: UInt64) -> UInt8 {
            UInt8(truncatingIfNeeded: address >> (40 - 8 * index))
        }
        var given = cxdp_filter(
            hardware_address: (byte(0), byte(1), byte(2), byte(3), byte(4), byte(5)),
            port: filter.port, frame_byte_count_max: UInt32(filter.frameByteCountMax))
        var maps = maps
        var room = [cxdp_instruction](
            repeating: cxdp_instruction(), count: Int(cxdp_instruction_count_max))
        // SAFETY: there is room for the most that it writes.
        let count = unsafe cxdp_assemble(&room, &given, &maps)
        return Array(room.prefix(Int(count)))
    }

    // MARK: - What is ours

    /// Frames of the queue that `queue` was opened on go to it from now on, until it is closed.
    package borrowing func serve(_ queue: borrowing XDPQueue) throws(XDPError) {
        var maps = maps
        let (index, socket) = (queue.index, queue.descriptor)
        do throws(Errno) {
            // SAFETY: used during the call only.
            try require { unsafe cxdp_serve_queue(&maps, UInt32(index), socket) }
        } catch {
            throw XDPError(interface.name, .openQueue(index), error)
        }
    }

    /// Queries to `address` are ours from now on. Not a wildcard: the kernel knows what that means,
    /// the program does not.
    package borrowing func add(_ address: IPAddress) throws(XDPError) {
        precondition(address.bits != 0)
        var (maps, key) = (maps, cxdp_address(address))
        do throws(Errno) {
            // SAFETY: used during the call only.
            try require { unsafe cxdp_add_address(&maps, &key) }
        } catch {
            throw XDPError(interface.name, .addAddress, error)
        }
    }

    /// Queries to `address` are the kernel's again. Does nothing for one that was not added.
    package borrowing func remove(_ address: IPAddress) {
        var (maps, key) = (maps, cxdp_address(address))
        // SAFETY: used during the call only. All that can go wrong is that it is not there.
        _ = unsafe cxdp_remove_address(&maps, &key)
    }

    private var maps: cxdp_maps {
        cxdp_maps(sockets: sockets.number, addresses: addresses.number, passed: passed.number)
    }

    // MARK: - Attaching

    /// Attaches the program, in the first of `modes` that the interface can do; returns which.
    package mutating func attach(
        _ modes: [Mode] = Mode.allCases
    ) throws(XDPError) -> Mode {
        precondition(link == nil && !modes.isEmpty)
        var reason = Errno.notSupported
        for mode in modes {
            let (program, index) = (program.number, interface.index)
            do throws(Errno) {
                link = try FileDescriptor { cxdp_attach(program, index, mode.cMode) }
                return mode
            } catch {
                reason = error
            }
            // Neither would be another in the other mode.
            if [.busy, .fileExists, .notPermitted, .noSuchDevice].contains(reason) { break }
        }
        throw XDPError(interface.name, .attach, reason)
    }

    /// Takes the program off the interface; what its queues have received can still be answered.
    package mutating func detach() { link = nil }

    // MARK: - Figures

    /// How many frames of a queue were left to the kernel, by reason; all zero for a queue that
    /// there is not.
    package borrowing func passedCount(_ reason: PassReason, queue: Int) -> UInt64 {
        var maps = maps
        var count: UInt64 = 0
        let index = UInt32(queue) * UInt32(cxdp_counters_per_queue) + reason.rawValue
        // SAFETY: used during the call only.
        guard unsafe cxdp_read_passed(&maps, index, &count) == 0 else { return 0 }
        return count
    }

    /// Why the program would leave `frame` to the kernel, by running it there: BPF_PROG_TEST_RUN,
    /// as if it had come from queue 0. Nil: it would not. For tests; counts in `passedCount`.
    package borrowing func judge(_ frame: [UInt8]) throws(Errno) -> PassReason? {
        let before = PassReason.allCases.map { passedCount($0, queue: 0) }
        let program = program.number
        // SAFETY: the frame is as long as the kernel is told, and used during the call only.
        let action = try require { unsafe cxdp_run(program, frame, UInt32(frame.count)) }
        let after = PassReason.allCases.map { passedCount($0, queue: 0) }
        let passed = zip(PassReason.allCases, zip(before, after)).filter { $0.1.0 != $0.1.1 }
        guard action == cxdp_action_pass else { return nil }
        // Whatever is passed is counted, once.
        precondition(passed.count == 1)
        return passed.first?.0
    }
}

extension XDPProgram.Mode {
    fileprivate var cMode: cxdp_mode { self == .native ? CXDP_NATIVE : CXDP_GENERIC }
}

extension cxdp_address {
    fileprivate init(_ address: IPAddress) {
        self.init()
        version = address.family == .ipv4 ? 4 : 6
        let bits = address.bits.bigEndian
        // SAFETY: both are 16 bytes, of any value.
        unsafe withUnsafeMutableBytes(of: &bytes) {
            unsafe $0.storeBytes(of: bits, as: UInt128.self)
        }
    }
}
