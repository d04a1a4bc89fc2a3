// The ceiling of UDP over sockets: takes a batch of datagrams, marks each as a response, sends the batch back.
// usage: socket-echo ADDRESS PORT      (IPv4)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, ROOM = 1500 };

int main(int argc, char **argv) {
    struct sockaddr_in own = {.sin_family = AF_INET};
    if (argc != 3 || inet_pton(AF_INET, argv[1], &own.sin_addr) != 1) {
        fputs("usage: socket-echo ADDRESS PORT\n", stderr);
        return 2;
    }
    own.sin_port = htons((unsigned short)atoi(argv[2]));
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    int buffer_bytes = 4 << 20;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    if (bind(descriptor, (struct sockaddr *)&own, sizeof own) != 0) {
        perror("socket-echo: bind");
        return 1;
    }

    static unsigned char bytes[BATCH][ROOM];
    static struct sockaddr_in peers[BATCH];
    static struct iovec vectors[BATCH];
    static struct mmsghdr messages[BATCH];
    for (int i = 0; i < BATCH; i++) {
        vectors[i].iov_base = bytes[i];
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &peers[i];
    }
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            vectors[i].iov_len = ROOM;
            messages[i].msg_hdr.msg_namelen = sizeof peers[i];
        }
        int received = recvmmsg(descriptor, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < received; i++) {
            bytes[i][2] |= 0x84;  // QR, AA
            vectors[i].iov_len = messages[i].msg_len;
        }
        for (int sent = 0; sent < received;) {
            int count = sendmmsg(descriptor, messages + sent, received - sent, 0);
            if (count <= 0) break;
            sent += count;
        }
    }
}
