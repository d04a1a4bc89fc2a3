#include "CXDP.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stddef.h>
#include <string.h>

_Static_assert(sizeof(struct cxdp_instruction) == sizeof(struct bpf_insn), "mirrored");
_Static_assert(sizeof(struct cxdp_address) == 20, "the program writes it to its stack");

// What stands behind a jump until `resolve` has made a distance of it.
enum label { IPV4, ADDRESS, PASS, END, label_count };

struct assembler {
    struct cxdp_instruction *program;
    int count;
    int position[label_count];
    bool jumps[cxdp_instruction_count_max];
};

// What each register holds throughout.
enum { result = 0, context = BPF_REG_6, data = BPF_REG_7, data_end = BPF_REG_8, reason = BPF_REG_9 };
enum { r1 = BPF_REG_1, r2 = BPF_REG_2, r3 = BPF_REG_3, stack = BPF_REG_10 };

// Where things lie: see FrameLayout in Swift.
enum {
    ethertype = 12, version = 14, shortest_v4 = 14 + 20 + 8 + 12, shortest_v6 = 14 + 40 + 8 + 12,
    v4_fragment = 20, v4_protocol = 23, v4_destination = 30, v4_port = 36,
    v6_next_header = 20, v6_destination = 38, v6_port = 56, udp = 17,
};

static void emit(struct assembler *a, int code, int destination, int source, int offset, int32_t immediate) {
    if (a->count == cxdp_instruction_count_max) __builtin_trap();
    struct bpf_insn instruction = {
        .code = (uint8_t)code, .dst_reg = destination & 15, .src_reg = source & 15,
        .off = (int16_t)offset, .imm = immediate,
    };
    memcpy(&a->program[a->count++], &instruction, sizeof instruction);
}

static void move(struct assembler *a, int to, int from) { emit(a, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
static void set(struct assembler *a, int to, int32_t value) { emit(a, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value); }
static void add(struct assembler *a, int to, int32_t value) { emit(a, BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value); }
// to = *(size *)(from + offset)
static void load(struct assembler *a, int size, int to, int from, int offset) {
    emit(a, BPF_LDX | BPF_MEM | size, to, from, offset, 0);
}
// *(size *)(to + offset) = from
static void store(struct assembler *a, int size, int to, int offset, int from) {
    emit(a, BPF_STX | BPF_MEM | size, to, from, offset, 0);
}
static void store_number(struct assembler *a, int to, int offset, int32_t value) {
    emit(a, BPF_ST | BPF_MEM | BPF_W, to, 0, offset, value);
}
static void call(struct assembler *a, int function) { emit(a, BPF_JMP | BPF_CALL, 0, 0, 0, function); }
static void load_map(struct assembler *a, int to, int map) {
    emit(a, BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, map);
    emit(a, 0, 0, 0, 0, 0);
}

static void jump(struct assembler *a, int code, int left, int right, int32_t value, enum label label) {
    a->jumps[a->count] = true;
    emit(a, code, left, right, label, value);
}
// The lower 32 bits of a register against a number as it lies in the frame. In 64 bits a number with
// its top bit set would be taken for a negative one.
static void unless_equal(struct assembler *a, int left, uint32_t value, enum label label) {
    jump(a, BPF_JMP32 | BPF_JNE | BPF_K, left, 0, (int32_t)value, label);
}
static void if_equal(struct assembler *a, int left, uint32_t value, enum label label) {
    jump(a, BPF_JMP32 | BPF_JEQ | BPF_K, left, 0, (int32_t)value, label);
}
static void label(struct assembler *a, enum label label) { a->position[label] = a->count; }

static void resolve(struct assembler *a) {
    for (int index = 0; index < a->count; index++)
        if (a->jumps[index])
            a->program[index].offset = (int16_t)(a->position[a->program[index].offset] - index - 1);
}

// Passes frames of less than `byte_count` bytes. Of longer ones the verifier lets the program read
// so many from here on.
static void pass_shorter(struct assembler *a, int byte_count) {
    set(a, reason, CXDP_PASS_SHORT);
    move(a, r2, data);
    add(a, r2, byte_count);
    jump(a, BPF_JMP | BPF_JGT | BPF_X, r2, data_end, 0, PASS);
}

static void pass_unless(struct assembler *a, enum cxdp_pass why, int size, int offset, uint32_t value) {
    set(a, reason, why);
    load(a, size, r2, data, offset);
    unless_equal(a, r2, value, PASS);
}

// Puts `word_count` 32-bit words of an address into the key, which ends the stack.
enum { key = -(int)sizeof(struct cxdp_address), key_bytes = key + (int)offsetof(struct cxdp_address, bytes) };
static void put_address(struct assembler *a, int offset, int word_count, int32_t address_version) {
    store_number(a, stack, key, address_version);
    for (int word = 0; word < 4; word++) {
        if (word < word_count) {
            load(a, BPF_W, r2, data, offset + 4 * word);
            store(a, BPF_W, stack, key_bytes + 4 * word, r2);
        } else {
            store_number(a, stack, key_bytes + 4 * word, 0);
        }
    }
}

int cxdp_assemble(struct cxdp_instruction *program, const struct cxdp_filter *filter,
                  const struct cxdp_maps *maps) {
    struct assembler assembler = {.program = program}, *a = &assembler;
    uint32_t hardware;
    uint16_t hardware_rest;
    memcpy(&hardware, filter->hardware_address, 4);
    memcpy(&hardware_rest, filter->hardware_address + 4, 2);

    move(a, context, r1);
    load(a, BPF_W, data, context, offsetof(struct xdp_md, data));
    load(a, BPF_W, data_end, context, offsetof(struct xdp_md, data_end));

    pass_shorter(a, shortest_v4);
    // Without CAP_PERFMON the verifier forbids data_end - data, but not to compare.
    set(a, reason, CXDP_PASS_LONG);
    move(a, r2, data);
    add(a, r2, (int32_t)filter->frame_byte_count_max + 1);
    jump(a, BPF_JMP | BPF_JLE | BPF_X, r2, data_end, 0, PASS);
    pass_unless(a, CXDP_PASS_HARDWARE_ADDRESS, BPF_W, 0, hardware);
    pass_unless(a, CXDP_PASS_HARDWARE_ADDRESS, BPF_H, 4, hardware_rest);
    load(a, BPF_H, r2, data, ethertype);
    if_equal(a, r2, htons(ETH_P_IP), IPV4);
    set(a, reason, CXDP_PASS_ETHERTYPE);
    unless_equal(a, r2, htons(ETH_P_IPV6), PASS);

    pass_shorter(a, shortest_v6);
    set(a, reason, CXDP_PASS_HEADER);
    load(a, BPF_B, r2, data, version);
    emit(a, BPF_ALU64 | BPF_AND | BPF_K, r2, 0, 0, 0xf0);
    unless_equal(a, r2, 0x60, PASS);
    pass_unless(a, CXDP_PASS_TRANSPORT, BPF_B, v6_next_header, udp);
    pass_unless(a, CXDP_PASS_PORT, BPF_H, v6_port, htons(filter->port));
    put_address(a, v6_destination, 4, 6);
    jump(a, BPF_JMP | BPF_JA, 0, 0, 0, ADDRESS);

    label(a, IPV4);
    pass_unless(a, CXDP_PASS_HEADER, BPF_B, version, 0x45);
    set(a, reason, CXDP_PASS_FRAGMENT);
    load(a, BPF_H, r2, data, v4_fragment);
    emit(a, BPF_ALU64 | BPF_AND | BPF_K, r2, 0, 0, htons(0x3fff));
    unless_equal(a, r2, 0, PASS);
    pass_unless(a, CXDP_PASS_TRANSPORT, BPF_B, v4_protocol, udp);
    pass_unless(a, CXDP_PASS_PORT, BPF_H, v4_port, htons(filter->port));
    put_address(a, v4_destination, 1, 4);

    label(a, ADDRESS);
    set(a, reason, CXDP_PASS_ADDRESS);
    load_map(a, r1, maps->addresses);
    move(a, r2, stack);
    add(a, r2, key);
    call(a, BPF_FUNC_map_lookup_elem);
    jump(a, BPF_JMP | BPF_JEQ | BPF_K, result, 0, 0, PASS);
    // Where the queue has no socket, the third argument is the result.
    set(a, reason, CXDP_PASS_QUEUE);
    load(a, BPF_W, r2, context, offsetof(struct xdp_md, rx_queue_index));
    load_map(a, r1, maps->sockets);
    set(a, r3, XDP_PASS);
    call(a, BPF_FUNC_redirect_map);
    jump(a, BPF_JMP | BPF_JNE | BPF_K, result, 0, XDP_PASS, END);

    label(a, PASS);
    load(a, BPF_W, r2, context, offsetof(struct xdp_md, rx_queue_index));
    emit(a, BPF_ALU64 | BPF_MUL | BPF_K, r2, 0, 0, cxdp_counters_per_queue);
    emit(a, BPF_ALU64 | BPF_ADD | BPF_X, r2, reason, 0, 0);
    store(a, BPF_W, stack, -4, r2);
    load_map(a, r1, maps->passed);
    move(a, r2, stack);
    add(a, r2, -4);
    call(a, BPF_FUNC_map_lookup_elem);
    // Null: a queue that we did not know of. Two jumps over the addition.
    emit(a, BPF_JMP | BPF_JEQ | BPF_K, result, 0, 2, 0);
    set(a, r1, 1);
    emit(a, BPF_STX | BPF_DW | BPF_ATOMIC, result, r1, 0, BPF_ADD);
    set(a, result, XDP_PASS);
    label(a, END);
    emit(a, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    resolve(a);
    return a->count;
}
