#ifndef CLINUX_CHECKS_H
#define CLINUX_CHECKS_H

// What health checks need of the system: sockets to an address given as bytes, and programs.
// Part of CLinux.h, whose manners hold here.

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// socket(2), non-blocking and closed on exec.
int clinux_socket_of(int domain, int type, int protocol);

/// connect(2) and bind(2) to an address in network order, of 4 or 16 bytes.
int clinux_connect_to(int descriptor, const uint8_t *address, size_t byte_count, uint16_t port);
int clinux_bind_to(int descriptor, const uint8_t *address, size_t byte_count, uint16_t port);

/// What became of connecting (SO_ERROR, socket(7)): zero or an error number.
int clinux_socket_error(int descriptor);

/// pipe2(2): both ends closed on exec, the reading one (ends[0]) non-blocking.
int clinux_pipe(int ends[2]);

/// Starts a program in a process group of its own, with standard output to `output`, nothing on
/// the other two, no other descriptor, and no signal blocked or ignored. Returns an error number,
/// 0 for success; a program that cannot be executed is such an error.
int clinux_spawn(pid_t *process, const char *path, char *const arguments[],
                 char *const environment[], int output);

/// A descriptor that becomes readable when the process ends (pidfd_open(2)), closed on exec.
int clinux_process_descriptor(pid_t process);

/// Ends a process and its whole group (SIGKILL). It must not have been taken in yet: until then its
/// number stays taken, and no other group can have it.
void clinux_kill_group(pid_t process);

/// Takes in a process that has ended, after ending what is left of its group. Returns true, and its
/// exit status, or minus the signal that ended it; false while it has not ended.
_Bool clinux_take_in(pid_t process, int *status);

/// Seconds since 1970 at which the file was last written; -1 and errno when it is no regular file.
int64_t clinux_file_time(int descriptor);

#endif
