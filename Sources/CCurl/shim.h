#ifndef GEODNS_CCURL_H
#define GEODNS_CCURL_H

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Swift cannot call variadic C functions, and libcurl's options and getinfo are variadic. One
 * typed wrapper per type of argument; the parentheses keep libcurl's type-checking macros, which
 * want constant options, from expanding.
 */

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) {
    return (curl_easy_setopt)(easy, option, value);
}

/* libcurl copies the string. NULL is a value, too: often "none". */
static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) {
    return (curl_easy_setopt)(easy, option, value);
}

/* libcurl does not copy the list: it must live as long as the transfer. */
static inline CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return (curl_easy_setopt)(easy, option, value);
}

/* `value` must hold CURL_ERROR_SIZE bytes and live as long as the transfer. */
static inline CURLcode ccurl_set_error_buffer(CURL *easy, char *value) {
    return (curl_easy_setopt)(easy, CURLOPT_ERRORBUFFER, value);
}

static inline CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLcode ccurl_get_certificates(CURL *easy, struct curl_certinfo **value) {
    return (curl_easy_getinfo)(easy, CURLINFO_CERTINFO, value);
}

/* More headers than this end a transfer. */
enum { ccurl_header_byte_count_max = 64 * 1024 };

/*
 * What came in. The first body_byte_count_max bytes of the body are kept if `body` has room for
 * them, or counted if it is NULL; more of it ends the transfer.
 */
struct ccurl_intake {
    unsigned char *body;
    size_t body_byte_count_max;
    size_t body_byte_count;
    size_t header_byte_count;
};

/* Refusing a piece ends the transfer with CURLE_WRITE_ERROR. */
static inline size_t ccurl_take_body(char *bytes, size_t size, size_t count, void *context) {
    struct ccurl_intake *intake = context;
    size_t room = intake->body_byte_count_max - intake->body_byte_count;
    size_t taken = size * count < room ? size * count : room;
    if (intake->body != NULL) memcpy(intake->body + intake->body_byte_count, bytes, taken);
    intake->body_byte_count += taken;
    return taken;
}

static inline size_t ccurl_take_header(char *bytes, size_t size, size_t count, void *context) {
    struct ccurl_intake *intake = context;
    (void)bytes;
    intake->header_byte_count += size * count;
    return intake->header_byte_count > ccurl_header_byte_count_max ? 0 : size * count;
}

/* `intake` must live as long as the transfer. */
static inline CURLcode ccurl_take_in(CURL *easy, struct ccurl_intake *intake) {
    CURLcode code = (curl_easy_setopt)(easy, CURLOPT_WRITEFUNCTION, ccurl_take_body);
    if (code == CURLE_OK) code = (curl_easy_setopt)(easy, CURLOPT_WRITEDATA, intake);
    if (code == CURLE_OK)
        code = (curl_easy_setopt)(easy, CURLOPT_HEADERFUNCTION, ccurl_take_header);
    return code != CURLE_OK ? code : (curl_easy_setopt)(easy, CURLOPT_HEADERDATA, intake);
}

/* Who is told which sockets to watch, and when to call; `context` must live as long as `multi`. */
static inline CURLMcode ccurl_watch(
    CURLM *multi, curl_socket_callback sockets, curl_multi_timer_callback timer, void *context) {
    CURLMcode code = (curl_multi_setopt)(multi, CURLMOPT_SOCKETFUNCTION, sockets);
    if (code == CURLM_OK) code = (curl_multi_setopt)(multi, CURLMOPT_SOCKETDATA, context);
    if (code == CURLM_OK) code = (curl_multi_setopt)(multi, CURLMOPT_TIMERFUNCTION, timer);
    return code != CURLM_OK ? code : (curl_multi_setopt)(multi, CURLMOPT_TIMERDATA, context);
}

/*
 * libcurl 7.88 does not tell why socket(2) failed, and running out of descriptors here must not be
 * taken for a front door that is down. Nor shall programs this process starts inherit the socket.
 */
static inline curl_socket_t ccurl_open_socket(
    void *error_number, curlsocktype purpose, struct curl_sockaddr *address) {
    int descriptor =
        socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    (void)purpose;
    if (descriptor < 0) *(int *)error_number = errno;
    return descriptor < 0 ? CURL_SOCKET_BAD : descriptor;
}

/* `error_number` must live as long as the transfer; set to errno when no socket could be opened. */
static inline CURLcode ccurl_open_sockets(CURL *easy, int *error_number) {
    CURLcode code = (curl_easy_setopt)(easy, CURLOPT_OPENSOCKETFUNCTION, ccurl_open_socket);
    return code != CURLE_OK
        ? code : (curl_easy_setopt)(easy, CURLOPT_OPENSOCKETDATA, error_number);
}

/* The result of a finished transfer; `message->msg` must be CURLMSG_DONE. */
static inline CURLcode ccurl_result(const CURLMsg *message) { return message->data.result; }

#endif
