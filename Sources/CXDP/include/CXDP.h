#ifndef CXDP_H
#define CXDP_H

// AF_XDP (Documentation/networking/af_xdp.rst of the kernel) without libbpf and libxdp: the program
// as instructions, bpf(2), and the sockets with their rings. Linux 5.11 or later.
//
// Each function returns what its system call returns, -1 with the reason in errno when it failed.
// What an answer passes through is inline: Swift has no way to say acquire and release about memory
// that it shares with the kernel.

#include <stdbool.h>
#include <stdint.h>

// MARK: The program

/// Why the program leaves a frame to the kernel: indexes of its counters. `PassReason` in Swift.
enum cxdp_pass {
    CXDP_PASS_SHORT, CXDP_PASS_LONG, CXDP_PASS_HARDWARE_ADDRESS, CXDP_PASS_ETHERTYPE,
    CXDP_PASS_HEADER, CXDP_PASS_FRAGMENT, CXDP_PASS_TRANSPORT, CXDP_PASS_PORT,
    CXDP_PASS_ADDRESS, CXDP_PASS_QUEUE,
};

/// Counters of one queue; those past CXDP_PASS_QUEUE stay 0.
enum { cxdp_counters_per_queue = 16 };

/// What the program lets through to our sockets, as far as it never changes.
struct cxdp_filter {
    uint8_t hardware_address[6];
    uint16_t port;
    uint32_t frame_byte_count_max;
};

/// A key of the map of addresses. IPv4 stands in the first four bytes, before zeros.
struct cxdp_address {
    uint32_t version; // 4 or 6
    uint8_t bytes[16];
};

/// One instruction: struct bpf_insn without its bit-fields. The lower half of `registers` is the
/// destination, the upper the source.
struct cxdp_instruction {
    uint8_t code;
    uint8_t registers;
    int16_t offset;
    int32_t immediate;
};

/// Descriptors of the program's maps.
struct cxdp_maps {
    /// Queue to AF_XDP socket.
    int sockets;
    /// The addresses we listen on.
    int addresses;
    /// Frames passed: index queue * cxdp_counters_per_queue + reason.
    int passed;
};

enum { cxdp_instruction_count_max = 128 };

/// Writes the program, at most cxdp_instruction_count_max instructions; returns how many there are.
int cxdp_assemble(struct cxdp_instruction *program, const struct cxdp_filter *filter,
                  const struct cxdp_maps *maps);

/// Makes the three maps, closed on exec. Nothing stays open after a failure.
int cxdp_make_maps(struct cxdp_maps *maps, uint32_t queue_count, uint32_t address_count_max);

int cxdp_add_address(const struct cxdp_maps *maps, const struct cxdp_address *address);
/// ENOENT: it was not there.
int cxdp_remove_address(const struct cxdp_maps *maps, const struct cxdp_address *address);

/// From now on the program hands the frames of the queue to this socket. It leaves the map by itself
/// when it is closed.
int cxdp_serve_queue(const struct cxdp_maps *maps, uint32_t queue, int socket);

int cxdp_read_passed(const struct cxdp_maps *maps, uint32_t index, uint64_t *count);

/// Has the kernel check and take the program; returns its descriptor. `log` gets what the verifier
/// says of one that it refuses, with a zero at the end.
int cxdp_load(const struct cxdp_instruction *program, int count, char *log, uint32_t log_byte_count);

/// How a program is attached.
enum cxdp_mode {
    CXDP_NATIVE, // in the card's driver
    CXDP_GENERIC, // in the kernel, behind a driver that cannot
};

/// Attaches the program; returns the descriptor of the link. With its last descriptor, at the latest
/// with the process, the program is gone from the interface.
int cxdp_attach(int program, uint32_t interface, enum cxdp_mode mode);

/// Runs the program over `frame`, without a network (BPF_PROG_TEST_RUN); returns its verdict, an
/// XDP_ action.
enum { cxdp_action_pass = 2 }; // XDP_PASS
int cxdp_run(int program, const uint8_t *frame, uint32_t byte_count);

// MARK: Interfaces

struct cxdp_interface {
    uint32_t index;
    uint32_t mtu;
    /// Receive queues, as ethtool(8) counts its channels; 1 where the driver does not say.
    uint32_t queue_count;
    uint8_t hardware_address[6];
    /// Ethernet (ARPHRD_ETHER): the only kind whose frames we understand.
    bool is_ethernet;
    /// Up, with a carrier (IFF_UP, IFF_RUNNING): frames come and go.
    bool is_up;
};

/// ENODEV: there is none of this name.
int cxdp_describe(const char *name, struct cxdp_interface *interface);

/// Writes the addresses of all interfaces that are up, but for 127.0.0.0/8 and ::1, at most
/// `count_max`; returns how many there are, which may be more.
int cxdp_own_addresses(struct cxdp_address *addresses, uint32_t count_max);

/// A descriptor that becomes readable when an interface or an address has changed (rtnetlink(7)),
/// non-blocking and closed on exec.
int cxdp_watch(void);

/// Takes in all that a descriptor of `cxdp_watch` has to say.
void cxdp_forget_changes(int descriptor);

// MARK: Sockets

/// A ring in memory shared with the kernel: one side writes entries and moves `producer`, the other
/// reads them and moves `consumer`. Both count for ever; `mask` makes an index of a count.
struct cxdp_ring {
    uint32_t *producer;
    uint32_t *consumer;
    uint32_t *flags;
    void *entries;
    uint32_t mask;
    /// Ours of the two counts: ahead of the shared one until it is published.
    uint32_t next;
    void *mapping;
    uint64_t mapping_byte_count;
};

/// A received frame: where it starts in the memory of its queue, and how long it is.
struct cxdp_frame {
    uint64_t start;
    uint32_t byte_count;
};

/// One AF_XDP socket, its rings and the memory of its frames.
///
/// A frame is in one place: the fill ring (the kernel may receive into it), the receive ring, our
/// hands, the send ring, or the completion ring (sent). Fill and completion ring have room for all,
/// so that what goes there always fits.
struct cxdp_queue {
    int socket;
    uint32_t chunk_byte_count;
    uint8_t *memory;
    uint64_t memory_byte_count;
    struct cxdp_ring receive, send, fill, completion;
};

/// Sizes are powers of two: `ring_count` entries in the receive and send rings, twice as many frames,
/// each in a chunk of `chunk_byte_count` bytes (2048 or 4096). The kernel keeps the first 256 of a chunk
/// for programs. Binds the socket; zero-copy where the driver can. EBUSY: somebody else has the queue.
int cxdp_open(struct cxdp_queue *queue, uint32_t interface, uint32_t queue_index, uint32_t ring_count,
              uint32_t chunk_byte_count);

void cxdp_close(struct cxdp_queue *queue);

/// What the kernel keeps of each chunk before a frame (XDP_PACKET_HEADROOM).
enum { cxdp_headroom_byte_count = 256 };

struct cxdp_statistics {
    /// Not received: dropped for other reasons; as the receive ring was full; as no frame was free.
    uint64_t dropped, ring_full, fill_empty;
    /// Descriptors that the kernel refused, of either direction. A mistake of ours.
    uint64_t invalid;
    bool is_zero_copy;
};

int cxdp_read_statistics(const struct cxdp_queue *queue, struct cxdp_statistics *statistics);

/// Has the kernel send what is in the send ring, and look into the fill ring, where it wants to be
/// told. Returns how many frames it could not take yet: the interface is down or its queue full.
uint32_t cxdp_wake(struct cxdp_queue *queue);

// MARK: - What an answer passes through

/// Entries that the kernel has put into a ring and we have not taken out.
static inline uint32_t cxdp_waiting(const struct cxdp_ring *ring) {
    return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - ring->next;
}

/// Free entries of a ring that we fill.
static inline uint32_t cxdp_room(const struct cxdp_ring *ring) {
    return ring->mask + 1 - (ring->next - __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE));
}

/// Gives a frame, by any address in its chunk, to the kernel to receive into.
static inline void cxdp_give_back(struct cxdp_queue *queue, uint64_t address) {
    struct cxdp_ring *fill = &queue->fill;
    ((uint64_t *)fill->entries)[fill->next++ & fill->mask] =
        address & ~(uint64_t)(queue->chunk_byte_count - 1);
}

/// Gives frames that have been sent back, to be received into.
static inline void cxdp_recycle(struct cxdp_queue *queue) {
    struct cxdp_ring *completion = &queue->completion;
    uint32_t count = cxdp_waiting(completion);
    if (count == 0) return;
    for (uint32_t index = 0; index < count; index++)
        cxdp_give_back(queue, ((uint64_t *)completion->entries)[completion->next++ & completion->mask]);
    __atomic_store_n(completion->consumer, completion->next, __ATOMIC_RELEASE);
}

/// Two 32-bit numbers and a 64-bit one: struct xdp_desc.
struct cxdp_descriptor {
    uint64_t start;
    uint32_t byte_count;
    uint32_t options;
};

/// Takes up to `count_max` received frames; returns how many.
static inline uint32_t cxdp_receive(struct cxdp_queue *queue, struct cxdp_frame *frames, uint32_t count_max) {
    struct cxdp_ring *ring = &queue->receive;
    uint32_t count = cxdp_waiting(ring);
    if (count > count_max) count = count_max;
    if (count == 0) return 0;
    for (uint32_t index = 0; index < count; index++) {
        const struct cxdp_descriptor *from =
            &((const struct cxdp_descriptor *)ring->entries)[ring->next++ & ring->mask];
        frames[index] = (struct cxdp_frame){from->start, from->byte_count};
    }
    __atomic_store_n(ring->consumer, ring->next, __ATOMIC_RELEASE);
    return count;
}

/// Puts a frame into the send ring. False when that is full: the frame is still ours.
static inline bool cxdp_send(struct cxdp_queue *queue, struct cxdp_frame frame) {
    struct cxdp_ring *ring = &queue->send;
    if (cxdp_room(ring) == 0) return false;
    ((struct cxdp_descriptor *)ring->entries)[ring->next++ & ring->mask] =
        (struct cxdp_descriptor){frame.start, frame.byte_count, 0};
    return true;
}

/// Lets the kernel see what `cxdp_send` and `cxdp_give_back` have put into the rings.
static inline void cxdp_publish(struct cxdp_queue *queue) {
    __atomic_store_n(queue->fill.producer, queue->fill.next, __ATOMIC_RELEASE);
    __atomic_store_n(queue->send.producer, queue->send.next, __ATOMIC_RELEASE);
}

#endif
