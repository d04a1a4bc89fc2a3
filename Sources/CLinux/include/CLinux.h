#ifndef CLINUX_H
#define CLINUX_H

// What Swift cannot reach by itself: calls behind _GNU_SOURCE, macros over control messages, and
// unions. Each function returns what the system call returns and leaves its reason in errno.
//
// _GNU_SOURCE is defined in CLinux.c only: defined here it would make this header's view of the
// system headers differ from the one in Swift's Glibc module, and debug builds fail.

#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "checks.h"

// MARK: Datagrams

/// A mirror of struct mmsghdr, which stands behind _GNU_SOURCE; CLinux.c asserts the layout.
struct clinux_mmsghdr {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};

/// Room for the one control message that sockets of ours ask for: the packet's addresses.
enum { clinux_control_byte_count = 64 };

/// recvmmsg(2), without waiting.
int clinux_recvmmsg(int descriptor, struct clinux_mmsghdr *messages, unsigned int count);

/// sendmmsg(2), without waiting.
int clinux_sendmmsg(int descriptor, struct clinux_mmsghdr *messages, unsigned int count);

/// Turns the control messages of a received datagram into those of its reply, so that the reply
/// leaves from the address the query came to (ip(7), ipv6(7), RFC 3542 section 6.2): the source stays,
/// the interface is forgotten (routing decides) unless the address is link-local.
void clinux_answer_from_destination(struct msghdr *message);

// MARK: Sockets

/// socket(2), non-blocking and closed on exec.
int clinux_socket(int domain, int type);

/// Makes a socket that came from another process non-blocking and closed on exec, as ours are.
int clinux_make_own(int descriptor);

/// accept4(2), non-blocking and closed on exec.
int clinux_accept(int descriptor, struct sockaddr *peer, socklen_t *length);

/// The user that a connected Unix socket's other end was opened by (SO_PEERCRED, unix(7)); -1: unknown.
int64_t clinux_peer_user(int descriptor);

/// getsockopt(2) of an int that is never negative: returns it.
int clinux_option(int descriptor, int level, int name);

/// setsockopt(2) with an int.
int clinux_set_option(int descriptor, int level, int name, int value);

/// Asks a datagram socket to tell each packet's destination (IP_PKTINFO, IPV6_RECVPKTINFO).
int clinux_want_destination(int descriptor, int domain);

/// Lets a datagram socket ignore path MTU discovery: forged ICMP "fragmentation needed" messages then
/// cannot make replies fragment below the interface's MTU. Over IPv4 they are marked DF
/// (IP_PMTUDISC_PROBE; RFC 9715 section 3.1, R2), so that nobody makes fragments of them, and the
/// kernel need not hash an identification for each; a longer one is refused with EMSGSIZE.
int clinux_ignore_path_mtu(int descriptor, int domain);

/// From here on an IPv4 socket's replies are not marked DF, and those longer than the MTU go out in
/// fragments (IP_PMTUDISC_OMIT).
int clinux_allow_fragments(int descriptor);

/// An IPv6 socket that leaves IPv4 to its own socket (RFC 3493 section 5.3).
int clinux_only_ipv6(int descriptor);

/// Options of a listening TCP socket, which its connections inherit: TCP_NODELAY (responses are
/// written whole, waiting for more would only delay them) and TCP_USER_TIMEOUT (a client that has
/// vanished holds unacknowledged responses no longer than this).
int clinux_prepare_connections(int descriptor, unsigned int user_timeout_milliseconds);

/// TCP_FASTOPEN on a listening socket; `queue` connections may be in their handshake.
int clinux_fast_open(int descriptor, int queue);

/// When the client has not acknowledged everything that was written, lets close(2) forget that and
/// reset the connection: by default the kernel would keep it, for as long as the client likes.
void clinux_forget_unsent(int descriptor);

/// bind(2) and connect(2) to a path; ENAMETOOLONG past 107 bytes.
int clinux_bind_path(int descriptor, const char *path);
int clinux_connect_path(int descriptor, const char *path);

// MARK: Polling

/// epoll_ctl(2) with a 64-bit token as the event's data.
int clinux_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token);

/// The token of an event: a union's member.
uint64_t clinux_epoll_token(const struct epoll_event *event);

// MARK: Memory

/// Makes every block from 1 MiB on a mapping of its own, which goes back to the kernel as soon as it
/// is freed (M_MMAP_THRESHOLD, mallopt(3)). By default glibc raises that bound to the largest block
/// freed so far, and keeps for itself what a zone file or a growing array has left. To be called
/// before other threads are there.
void clinux_map_large_blocks(void);

/// Gives what is free back to the kernel (malloc_trim(3)).
void clinux_release_free_memory(void);

// MARK: Capabilities

/// The capabilities in force for this thread (capabilities(7)), bit N being number N.
uint64_t clinux_capabilities(void);

/// Takes those of `given_up` from this thread for good, and from threads and programs that it starts
/// from now on. Returns 0, or -1 and errno.
int clinux_give_up_capabilities(uint64_t given_up);

// MARK: Threads and errors

/// Starts a joinable thread with every signal blocked, so that signals reach the thread that waits
/// for them. Returns an error number, 0 for success. The name is cut to 15 bytes.
int clinux_start_thread(pthread_t *thread, const char *name, void *(*body)(void *), void *argument);

/// "EADDRINUSE" for 98; NULL for an unknown number.
const char *clinux_error_name(int code);

// Blocks SIGHUP, SIGTERM and SIGINT for this thread and those it makes, and returns a descriptor
// they can be read from (signalfd(2)); -1 and errno on failure. SIGPIPE is ignored.
int clinux_signal_descriptor(void);

// The number of the signal that has arrived; 0 when none has.
int clinux_next_signal(int descriptor);

#endif
