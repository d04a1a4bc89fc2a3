#define _GNU_SOURCE
#include "CXDP.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_xdp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(sizeof(struct cxdp_descriptor) == sizeof(struct xdp_desc), "mirrored");
_Static_assert(offsetof(struct cxdp_descriptor, byte_count) == offsetof(struct xdp_desc, len), "mirrored");

// MARK: Interfaces

int cxdp_describe(const char *name, struct cxdp_interface *interface) {
    struct ifreq request;
    memset(interface, 0, sizeof *interface);
    if (strlen(name) >= sizeof request.ifr_name) {
        errno = ENODEV;
        return -1;
    }
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, name);
    int code = ioctl(descriptor, SIOCGIFINDEX, &request);
    if (code == 0) {
        interface->index = (uint32_t)request.ifr_ifindex;
        code = ioctl(descriptor, SIOCGIFMTU, &request);
    }
    if (code == 0) {
        interface->mtu = (uint32_t)request.ifr_mtu;
        code = ioctl(descriptor, SIOCGIFFLAGS, &request);
    }
    if (code == 0) {
        interface->is_up = (request.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
        code = ioctl(descriptor, SIOCGIFHWADDR, &request);
    }
    if (code == 0) {
        interface->is_ethernet = request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
        memcpy(interface->hardware_address, request.ifr_hwaddr.sa_data, 6);
        struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
        request.ifr_data = (char *)&channels;
        interface->queue_count = 1;
        if (ioctl(descriptor, SIOCETHTOOL, &request) == 0) {
            // Drivers give queues that only receive, or both ways, or some of either.
            uint32_t count = channels.combined_count + channels.rx_count;
            if (count > 0) interface->queue_count = count;
        }
    }
    int reason = errno;
    close(descriptor);
    errno = reason;
    return code;
}

// False for a family that is neither, and for loopback.
static bool read_address(const struct sockaddr *from, struct cxdp_address *to) {
    memset(to, 0, sizeof *to);
    if (from->sa_family == AF_INET) {
        to->version = 4;
        memcpy(to->bytes, &((const struct sockaddr_in *)from)->sin_addr, 4);
        return to->bytes[0] != 127;
    }
    if (from->sa_family != AF_INET6) return false;
    const struct in6_addr *address = &((const struct sockaddr_in6 *)from)->sin6_addr;
    to->version = 6;
    memcpy(to->bytes, address, 16);
    return !IN6_IS_ADDR_LOOPBACK(address);
}

int cxdp_own_addresses(struct cxdp_address *addresses, uint32_t count_max) {
    struct ifaddrs *list;
    if (getifaddrs(&list) < 0) return -1;
    uint32_t count = 0;
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        struct cxdp_address address;
        if (entry->ifa_addr == NULL || (entry->ifa_flags & IFF_UP) == 0) continue;
        if (!read_address(entry->ifa_addr, &address)) continue;
        if (count < count_max) addresses[count] = address;
        count++;
    }
    freeifaddrs(list);
    return (int)count;
}

int cxdp_watch(void) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -1;
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
    };
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
    int reason = errno;
    close(descriptor);
    errno = reason;
    return -1;
}

void cxdp_forget_changes(int descriptor) {
    char message[8192];
    // ENOBUFS: there were more than it could keep; the next call goes on.
    while (recv(descriptor, message, sizeof message, MSG_TRUNC) >= 0 || errno == ENOBUFS || errno == EINTR) {}
}

// MARK: Sockets

static int set_option(int socket, int name, const void *value, socklen_t byte_count) {
    return setsockopt(socket, SOL_XDP, name, value, byte_count);
}

static int map_ring(int socket, struct cxdp_ring *ring, const struct xdp_ring_offset *offset,
                    uint64_t page, uint32_t count, uint32_t entry_byte_count) {
    uint64_t byte_count = offset->desc + (uint64_t)count * entry_byte_count;
    uint8_t *start = mmap(NULL, byte_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket, (off_t)page);
    if (start == MAP_FAILED) return -1;
    *ring = (struct cxdp_ring){
        .producer = (uint32_t *)(start + offset->producer),
        .consumer = (uint32_t *)(start + offset->consumer),
        .flags = (uint32_t *)(start + offset->flags),
        .entries = start + offset->desc,
        .mask = count - 1,
        .mapping = start,
        .mapping_byte_count = byte_count,
    };
    return 0;
}

static int prepare(struct cxdp_queue *queue, uint32_t ring_count) {
    uint32_t frame_count = 2 * ring_count;
    queue->memory_byte_count = (uint64_t)frame_count * queue->chunk_byte_count;
    void *memory = mmap(NULL, queue->memory_byte_count, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) return -1;
    queue->memory = memory;
    struct xdp_umem_reg area = {
        .addr = (uint64_t)(uintptr_t)memory, .len = queue->memory_byte_count,
        .chunk_size = queue->chunk_byte_count,
    };
    if (set_option(queue->socket, XDP_UMEM_REG, &area, sizeof area) < 0 ||
        set_option(queue->socket, XDP_UMEM_FILL_RING, &frame_count, sizeof frame_count) < 0 ||
        set_option(queue->socket, XDP_UMEM_COMPLETION_RING, &frame_count, sizeof frame_count) < 0 ||
        set_option(queue->socket, XDP_RX_RING, &ring_count, sizeof ring_count) < 0 ||
        set_option(queue->socket, XDP_TX_RING, &ring_count, sizeof ring_count) < 0)
        return -1;
    struct xdp_mmap_offsets offsets;
    socklen_t length = sizeof offsets;
    if (getsockopt(queue->socket, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) < 0) return -1;
    uint32_t descriptor = sizeof(struct xdp_desc), address = sizeof(uint64_t);
    if (map_ring(queue->socket, &queue->receive, &offsets.rx, XDP_PGOFF_RX_RING, ring_count, descriptor) < 0 ||
        map_ring(queue->socket, &queue->send, &offsets.tx, XDP_PGOFF_TX_RING, ring_count, descriptor) < 0 ||
        map_ring(queue->socket, &queue->fill, &offsets.fr, XDP_UMEM_PGOFF_FILL_RING, frame_count, address) < 0 ||
        map_ring(queue->socket, &queue->completion, &offsets.cr, XDP_UMEM_PGOFF_COMPLETION_RING, frame_count,
                 address) < 0)
        return -1;
    // Before the socket is bound: some drivers look only then.
    for (uint32_t frame = 0; frame < frame_count; frame++)
        cxdp_give_back(queue, (uint64_t)frame * queue->chunk_byte_count);
    cxdp_publish(queue);
    return 0;
}

int cxdp_open(struct cxdp_queue *queue, uint32_t interface, uint32_t queue_index, uint32_t ring_count,
              uint32_t chunk_byte_count) {
    memset(queue, 0, sizeof *queue);
    queue->chunk_byte_count = chunk_byte_count;
    queue->socket = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (queue->socket < 0) return -1;
    struct sockaddr_xdp address = {
        .sxdp_family = AF_XDP, .sxdp_flags = XDP_USE_NEED_WAKEUP, .sxdp_ifindex = interface,
        .sxdp_queue_id = queue_index,
    };
    if (prepare(queue, ring_count) == 0 &&
        bind(queue->socket, (struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    int reason = errno;
    cxdp_close(queue);
    errno = reason;
    return -1;
}

static void unmap(struct cxdp_ring *ring) {
    if (ring->mapping != NULL) munmap(ring->mapping, ring->mapping_byte_count);
}

void cxdp_close(struct cxdp_queue *queue) {
    unmap(&queue->receive);
    unmap(&queue->send);
    unmap(&queue->fill);
    unmap(&queue->completion);
    if (queue->socket >= 0) close(queue->socket);
    if (queue->memory != NULL) munmap(queue->memory, queue->memory_byte_count);
    memset(queue, 0, sizeof *queue);
    queue->socket = -1;
}

int cxdp_read_statistics(const struct cxdp_queue *queue, struct cxdp_statistics *statistics) {
    struct xdp_statistics read = {0};
    struct xdp_options options = {0};
    socklen_t length = sizeof read;
    if (getsockopt(queue->socket, SOL_XDP, XDP_STATISTICS, &read, &length) < 0) return -1;
    length = sizeof options;
    if (getsockopt(queue->socket, SOL_XDP, XDP_OPTIONS, &options, &length) < 0) return -1;
    *statistics = (struct cxdp_statistics){
        .dropped = read.rx_dropped, .ring_full = read.rx_ring_full,
        .fill_empty = read.rx_fill_ring_empty_descs,
        .invalid = read.rx_invalid_descs + read.tx_invalid_descs,
        .is_zero_copy = (options.flags & XDP_OPTIONS_ZEROCOPY) != 0,
    };
    return 0;
}

static bool wants_wakeup(const struct cxdp_ring *ring) {
    return (__atomic_load_n(ring->flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP) != 0;
}

static uint32_t unsent(const struct cxdp_ring *ring) {
    return ring->next - __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
}

uint32_t cxdp_wake(struct cxdp_queue *queue) {
    uint32_t left = unsent(&queue->send);
    // Without zero-copy, one call sends 32 and then fails with EAGAIN: again while that gets on.
    while (left > 0 && wants_wakeup(&queue->send)) {
        ssize_t code = sendto(queue->socket, NULL, 0, MSG_DONTWAIT, NULL, 0);
        uint32_t now = unsent(&queue->send);
        if ((code < 0 && errno != EAGAIN && errno != EINTR) || now == left) break;
        left = now;
    }
    if (wants_wakeup(&queue->fill)) recvfrom(queue->socket, NULL, 0, MSG_DONTWAIT, NULL, NULL);
    return unsent(&queue->send);
}
