// More queries than any server takes: the kernel sends copies of one frame out of an interface, and a program gives
// each another sender (BPF_PROG_RUN with live frames, Linux 5.18). For a cable (veth) without anybody else on it.
// What comes back over IPv4 is counted and dropped before the kernel makes anything of it, so that it costs next to
// nothing: veth has the sender, the server that is, do the work of the receiver.
// usage: xdp-flood INTERFACE SECONDS QUERY      where QUERY is a UDP query over IPv4 in its frame, in hexadecimal
// Prints how many frames it has sent, how many have come back, and how many seconds that took: a little more than wanted.
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attributes) {
    return syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

#define INSTRUCTION(c, d, s, o, i) {.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)}
enum { r0, r1, r2, r10 = 10, data = 7, identification = 18, source = 28, source_port = 34, shortest = 42 };

// The lower half of the sender's address and the port are random. The identification is the complement of the former,
// so that the sum of the header stays as it is; UDP over IPv4 goes without a checksum.
static const struct bpf_insn program[] = {
    INSTRUCTION(BPF_LDX | BPF_MEM | BPF_W, data, r1, 0, 0),
    INSTRUCTION(BPF_LDX | BPF_MEM | BPF_W, r2, r1, 4, 0),
    INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, r0, data, 0, 0),
    INSTRUCTION(BPF_ALU64 | BPF_ADD | BPF_K, r0, 0, 0, shortest),
    INSTRUCTION(BPF_JMP | BPF_JGT | BPF_X, r0, r2, 8, 0),
    INSTRUCTION(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32),
    INSTRUCTION(BPF_STX | BPF_MEM | BPF_H, data, r0, source, 0),
    INSTRUCTION(BPF_ALU64 | BPF_XOR | BPF_K, r0, 0, 0, -1),
    INSTRUCTION(BPF_STX | BPF_MEM | BPF_H, data, r0, identification, 0),
    INSTRUCTION(BPF_ALU64 | BPF_RSH | BPF_K, r0, 0, 0, 16),
    INSTRUCTION(BPF_ALU64 | BPF_OR | BPF_K, r0, 0, 0, 0x80),
    INSTRUCTION(BPF_STX | BPF_MEM | BPF_H, data, r0, source_port, 0),
    INSTRUCTION(BPF_JMP | BPF_JA, 0, 0, 2, 0),
    INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, r0, 0, 0, XDP_DROP),
    INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, r0, 0, 0, XDP_TX),
    INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
};

// Counts in the only entry of the map, whose descriptor stands in the first instruction.
static struct bpf_insn counter[] = {
    INSTRUCTION(BPF_LD | BPF_IMM | BPF_DW, r1, BPF_PSEUDO_MAP_FD, 0, 0),
    INSTRUCTION(0, 0, 0, 0, 0),
    INSTRUCTION(BPF_ST | BPF_MEM | BPF_W, r10, 0, -4, 0),
    INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, r2, r10, 0, 0),
    INSTRUCTION(BPF_ALU64 | BPF_ADD | BPF_K, r2, 0, 0, -4),
    INSTRUCTION(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
    INSTRUCTION(BPF_JMP | BPF_JEQ | BPF_K, r0, 0, 2, 0),
    INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, r1, 0, 0, 1),
    INSTRUCTION(BPF_STX | BPF_ATOMIC | BPF_DW, r0, r1, 0, BPF_ADD),
    INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, r0, 0, 0, XDP_DROP),
    INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
};

static int fail(const char *what) {
    fprintf(stderr, "xdp-flood: %s: %s\n", what, strerror(errno));
    return 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long load(const struct bpf_insn *instructions, uint32_t count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_XDP;
    attributes.insns = (uint64_t)(uintptr_t)instructions;
    attributes.insn_cnt = count;
    attributes.license = (uint64_t)(uintptr_t) "Apache-2.0";
    return bpf(BPF_PROG_LOAD, &attributes);
}

// Returns the map with the count. Nothing is counted any more once this process has ended.
static long count_what_comes(uint32_t interface) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 8;
    attributes.max_entries = 1;
    long map = bpf(BPF_MAP_CREATE, &attributes);
    if (map < 0) return map;
    counter[0].imm = (int32_t)map;
    long program = load(counter, sizeof counter / sizeof *counter);
    if (program < 0) return program;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_create.prog_fd = (uint32_t)program;
    attributes.link_create.target_ifindex = interface;
    attributes.link_create.attach_type = BPF_XDP;
    long link = bpf(BPF_LINK_CREATE, &attributes);
    return link < 0 ? link : map;
}

static uint64_t count_in(long map) {
    uint32_t key = 0;
    uint64_t count = 0;
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)map;
    attributes.key = (uint64_t)(uintptr_t)&key;
    attributes.value = (uint64_t)(uintptr_t)&count;
    bpf(BPF_MAP_LOOKUP_ELEM, &attributes);
    return count;
}

int main(int argc, char **argv) {
    static uint8_t frame[1024];
    size_t count = 0;
    if (argc != 4 || strlen(argv[3]) % 2 != 0 || strlen(argv[3]) > 2 * sizeof frame) {
        fputs("usage: xdp-flood INTERFACE SECONDS QUERY\n", stderr);
        return 2;
    }
    for (; argv[3][2 * count] != 0; count++) {
        unsigned byte;
        if (sscanf(argv[3] + 2 * count, "%2x", &byte) != 1) return fail("no hexadecimal");
        frame[count] = (uint8_t)byte;
    }
    uint32_t interface = if_nametoindex(argv[1]);
    if (interface == 0) return fail(argv[1]);

    long map = count_what_comes(interface);
    if (map < 0) return fail("counting");
    long descriptor = load(program, sizeof program / sizeof *program);
    if (descriptor < 0) return fail("loading");

    struct xdp_md context = {.data_end = (uint32_t)count, .ingress_ifindex = interface};
    union bpf_attr run;
    memset(&run, 0, sizeof run);
    run.test.prog_fd = (uint32_t)descriptor;
    run.test.data_in = (uint64_t)(uintptr_t)frame;
    run.test.data_size_in = (uint32_t)count;
    run.test.ctx_in = (uint64_t)(uintptr_t)&context;
    run.test.ctx_size_in = sizeof context;
    // Each call sets up and takes down much, which takes milliseconds.
    run.test.repeat = 1 << 19;
    run.test.batch_size = 64;
    run.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    uint64_t sent = 0;
    double start = now(), end = start + atof(argv[2]);
    for (; now() < end; sent += run.test.repeat)
        if (bpf(BPF_PROG_TEST_RUN, &run) < 0) return fail("sending");
    end = now();
    usleep(100000); // What has come in is answered within milliseconds.
    printf("%llu %llu %f\n", (unsigned long long)sent, (unsigned long long)count_in(map), end - start);
    return 0;
}
