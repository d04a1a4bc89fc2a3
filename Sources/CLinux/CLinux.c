#define _GNU_SOURCE
#include "CLinux.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(sizeof(struct clinux_mmsghdr) == sizeof(struct mmsghdr), "mirrored");
_Static_assert(offsetof(struct clinux_mmsghdr, msg_hdr) == offsetof(struct mmsghdr, msg_hdr), "mirrored");
_Static_assert(offsetof(struct clinux_mmsghdr, msg_len) == offsetof(struct mmsghdr, msg_len), "mirrored");
_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) <= clinux_control_byte_count, "room");
_Static_assert(CMSG_SPACE(sizeof(struct in_pktinfo)) <= clinux_control_byte_count, "room");

// MARK: Datagrams

int clinux_recvmmsg(int descriptor, struct clinux_mmsghdr *messages, unsigned int count) {
    return recvmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT, NULL);
}

int clinux_sendmmsg(int descriptor, struct clinux_mmsghdr *messages, unsigned int count) {
    return sendmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void clinux_answer_from_destination(struct msghdr *message) {
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(control), sizeof info);
            info.ipi_ifindex = 0;
            memcpy(CMSG_DATA(control), &info, sizeof info);
        } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(control), sizeof info);
            if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
            memcpy(CMSG_DATA(control), &info, sizeof info);
        }
    }
}

// MARK: Sockets

int clinux_socket(int domain, int type) {
    return socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int clinux_make_own(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) return -1;
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

int clinux_accept(int descriptor, struct sockaddr *peer, socklen_t *length) {
    return accept4(descriptor, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int64_t clinux_peer_user(int descriptor) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    int status = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length);
    return status == 0 ? (int64_t)peer.uid : -1;
}

int clinux_option(int descriptor, int level, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, level, name, &value, &length) < 0 ? -1 : value;
}

int clinux_set_option(int descriptor, int level, int name, int value) {
    return setsockopt(descriptor, level, name, &value, sizeof value);
}

int clinux_want_destination(int descriptor, int domain) {
    return domain == AF_INET6 ? clinux_set_option(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                              : clinux_set_option(descriptor, IPPROTO_IP, IP_PKTINFO, 1);
}

int clinux_ignore_path_mtu(int descriptor, int domain) {
    return domain == AF_INET6
        ? clinux_set_option(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT)
        : clinux_set_option(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
}

int clinux_allow_fragments(int descriptor) {
    return clinux_set_option(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
}

int clinux_only_ipv6(int descriptor) {
    return clinux_set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

int clinux_prepare_connections(int descriptor, unsigned int user_timeout_milliseconds) {
    int code = clinux_set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    return code < 0 ? code
                    : clinux_set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT,
                                        (int)user_timeout_milliseconds);
}

int clinux_fast_open(int descriptor, int queue) {
    return clinux_set_option(descriptor, IPPROTO_TCP, TCP_FASTOPEN, queue);
}

void clinux_forget_unsent(int descriptor) {
    int byte_count = 0;
    if (ioctl(descriptor, SIOCOUTQ, &byte_count) < 0 || byte_count == 0) return;
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

static int path_address(struct sockaddr_un *address, const char *path) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (path[0] == 0) {  // Linux would choose an abstract name for it.
        errno = ENOENT;
        return -1;
    }
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

int clinux_bind_path(int descriptor, const char *path) {
    struct sockaddr_un address;
    if (path_address(&address, path) < 0) return -1;
    return bind(descriptor, (struct sockaddr *)&address, sizeof address);
}

int clinux_connect_path(int descriptor, const char *path) {
    struct sockaddr_un address;
    if (path_address(&address, path) < 0) return -1;
    return connect(descriptor, (struct sockaddr *)&address, sizeof address);
}

// MARK: Polling

int clinux_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

uint64_t clinux_epoll_token(const struct epoll_event *event) {
    return event->data.u64;
}

// MARK: Memory

void clinux_map_large_blocks(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    // Set alone, the other would stay low, and the heap grow and shrink all the time while loading.
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

void clinux_release_free_memory(void)
{
    malloc_trim(0);
}

// MARK: Threads and errors

int clinux_start_thread(pthread_t *thread, const char *name, void *(*body)(void *), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(thread, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0) {
        char short_name[16] = {0};
        strncpy(short_name, name, sizeof short_name - 1);
        pthread_setname_np(*thread, short_name);
    }
    return code;
}

const char *clinux_error_name(int code) {
    return strerrorname_np(code);
}

int clinux_signal_descriptor(void)
{
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clinux_next_signal(int descriptor)
{
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

// MARK: Capabilities

// Version 3 has two words of 32 bits for each set.
static int capabilities(int call, struct __user_cap_data_struct words[2]) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return (int)syscall(call, &header, words);
}

uint64_t clinux_capabilities(void) {
    struct __user_cap_data_struct words[2] = {{0}, {0}};
    if (capabilities(SYS_capget, words) < 0) return 0;
    return (uint64_t)words[1].effective << 32 | words[0].effective;
}

int clinux_give_up_capabilities(uint64_t given_up) {
    struct __user_cap_data_struct words[2] = {{0}, {0}};
    if (capabilities(SYS_capget, words) < 0) return -1;
    for (int word = 0; word < 2; word++) {
        uint32_t kept = ~(uint32_t)(given_up >> (32 * word));
        words[word].effective &= kept;
        words[word].permitted &= kept;
        words[word].inheritable &= kept;
    }
    return capabilities(SYS_capset, words);
}
