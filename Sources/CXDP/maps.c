#define _GNU_SOURCE
#include "CXDP.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(cxdp_action_pass == XDP_PASS, "mirrored");

// The kernel closes the descriptors it returns on exec.
static int bpf(int command, union bpf_attr *attributes) {
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static uint64_t address_of(const void *pointer) { return (uint64_t)(uintptr_t)pointer; }

static int make_map(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t count, const char *name) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = type;
    attributes.key_size = key;
    attributes.value_size = value;
    attributes.max_entries = count;
    strncpy(attributes.map_name, name, sizeof attributes.map_name - 1);
    return bpf(BPF_MAP_CREATE, &attributes);
}

int cxdp_make_maps(struct cxdp_maps *maps, uint32_t queue_count, uint32_t address_count_max) {
    maps->addresses = maps->passed = -1;
    maps->sockets = make_map(BPF_MAP_TYPE_XSKMAP, 4, 4, queue_count, "geodns_sockets");
    if (maps->sockets < 0) return -1;
    maps->addresses = make_map(
        BPF_MAP_TYPE_HASH, sizeof(struct cxdp_address), 1, address_count_max, "geodns_address");
    if (maps->addresses >= 0)
        maps->passed = make_map(
            BPF_MAP_TYPE_ARRAY, 4, 8, queue_count * cxdp_counters_per_queue, "geodns_passed");
    if (maps->passed >= 0) return 0;
    int code = errno;
    close(maps->sockets);
    if (maps->addresses >= 0) close(maps->addresses);
    errno = code;
    return -1;
}

static int element(int command, int map, const void *key, const void *value) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)map;
    attributes.key = address_of(key);
    attributes.value = address_of(value);
    return bpf(command, &attributes);
}

int cxdp_add_address(const struct cxdp_maps *maps, const struct cxdp_address *address) {
    uint8_t present = 1;
    return element(BPF_MAP_UPDATE_ELEM, maps->addresses, address, &present);
}

int cxdp_remove_address(const struct cxdp_maps *maps, const struct cxdp_address *address) {
    return element(BPF_MAP_DELETE_ELEM, maps->addresses, address, NULL);
}

int cxdp_serve_queue(const struct cxdp_maps *maps, uint32_t queue, int socket) {
    return element(BPF_MAP_UPDATE_ELEM, maps->sockets, &queue, &socket);
}

int cxdp_read_passed(const struct cxdp_maps *maps, uint32_t index, uint64_t *count) {
    return element(BPF_MAP_LOOKUP_ELEM, maps->passed, &index, count);
}

int cxdp_load(const struct cxdp_instruction *program, int count, char *log, uint32_t log_byte_count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_XDP;
    attributes.expected_attach_type = BPF_XDP;
    attributes.insns = address_of(program);
    attributes.insn_cnt = (uint32_t)count;
    // No function that it calls asks for GPL.
    attributes.license = address_of("Apache-2.0");
    strncpy(attributes.prog_name, "geodns", sizeof attributes.prog_name - 1);
    log[0] = 0;
    int descriptor = bpf(BPF_PROG_LOAD, &attributes);
    if (descriptor >= 0 || errno == EPERM) return descriptor;
    // Once more, with an explanation.
    attributes.log_level = 1;
    attributes.log_buf = address_of(log);
    attributes.log_size = log_byte_count;
    return bpf(BPF_PROG_LOAD, &attributes);
}

int cxdp_attach(int program, uint32_t interface, enum cxdp_mode mode) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_create.prog_fd = (uint32_t)program;
    attributes.link_create.target_ifindex = interface;
    attributes.link_create.attach_type = BPF_XDP;
    attributes.link_create.flags = mode == CXDP_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    return bpf(BPF_LINK_CREATE, &attributes);
}

int cxdp_run(int program, const uint8_t *frame, uint32_t byte_count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.test.prog_fd = (uint32_t)program;
    attributes.test.data_in = address_of(frame);
    attributes.test.data_size_in = byte_count;
    attributes.test.repeat = 1;
    if (bpf(BPF_PROG_TEST_RUN, &attributes) < 0) return -1;
    return (int)attributes.test.retval;
}
