#define _GNU_SOURCE
#include "checks.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_socket_of(int domain, int type, int protocol) {
    return socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static socklen_t socket_address(
    struct sockaddr_storage *storage, const uint8_t *address, size_t byte_count, uint16_t port) {
    memset(storage, 0, sizeof *storage);
    if (byte_count == 4) {
        struct sockaddr_in *target = (struct sockaddr_in *)storage;
        target->sin_family = AF_INET;
        target->sin_port = htons(port);
        memcpy(&target->sin_addr, address, 4);
        return sizeof *target;
    }
    struct sockaddr_in6 *target = (struct sockaddr_in6 *)storage;
    target->sin6_family = AF_INET6;
    target->sin6_port = htons(port);
    memcpy(&target->sin6_addr, address, 16);
    return sizeof *target;
}

int clinux_connect_to(int descriptor, const uint8_t *address, size_t byte_count, uint16_t port) {
    struct sockaddr_storage target;
    socklen_t length = socket_address(&target, address, byte_count, port);
    return connect(descriptor, (struct sockaddr *)&target, length);
}

int clinux_bind_to(int descriptor, const uint8_t *address, size_t byte_count, uint16_t port) {
    struct sockaddr_storage source;
    socklen_t length = socket_address(&source, address, byte_count, port);
    return bind(descriptor, (struct sockaddr *)&source, length);
}

int clinux_socket_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

int clinux_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

int clinux_spawn(pid_t *process, const char *path, char *const arguments[],
                 char *const environment[], int output) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) return code;
    code = posix_spawnattr_init(&attributes);
    if (code != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    // `output` may be one of the three itself, so it is taken first.
    code = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(
            &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(
            &actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (code == 0) code = posix_spawn(process, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

int clinux_process_descriptor(pid_t process) {
    // PIDFD_NONBLOCK is newer than what we ask of kernels; nothing reads from it anyway.
    return (int)syscall(SYS_pidfd_open, process, 0);
}

void clinux_kill_group(pid_t process) {
    kill(-process, SIGKILL);
    kill(process, SIGKILL);
}

_Bool clinux_take_in(pid_t process, int *status) {
    siginfo_t info = {0};
    int raw = 0;
    // Looked at without taking it in, so that the number stays taken while its group is ended.
    if (waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0)
        return 0;
    kill(-process, SIGKILL);
    if (waitpid(process, &raw, WNOHANG) != process) {
        *status = -SIGKILL;
        return 1;
    }
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -WTERMSIG(raw);
    return 1;
}

int64_t clinux_file_time(int descriptor) {
    struct stat state;
    if (fstat(descriptor, &state) < 0) return -1;
    if (!S_ISREG(state.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return state.st_mtime;
}
