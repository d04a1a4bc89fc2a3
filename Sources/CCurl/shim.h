#ifndef GEODNS_CCURL_H
#define GEODNS_CCURL_H

#include <curl/curl.h>
#include <errno.h>
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

/* A body is thrown away as it comes in. */
enum { ccurl_body_byte_count_max = 64 * 1024 };

/* Refusing a piece ends the transfer with CURLE_WRITE_ERROR. */
static inline size_t ccurl_discard(char *bytes, size_t size, size_t count, void *easy) {
    curl_off_t received = 0;
    (void)bytes;
    (void)ccurl_get_offset((CURL *)easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    return received > ccurl_body_byte_count_max ? 0 : size * count;
}

static inline CURLcode ccurl_discard_body(CURL *easy) {
    CURLcode code = (curl_easy_setopt)(easy, CURLOPT_WRITEFUNCTION, ccurl_discard);
    return code != CURLE_OK ? code : (curl_easy_setopt)(easy, CURLOPT_WRITEDATA, easy);
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
