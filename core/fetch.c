/* fetch.c - see fetch.h.
 *
 * libcurl 7.88 traps seen here: a socket from the open-socket hook must be unconnected; a POST gets
 * a Content-Type and an Expect header that nobody asked for; a proxy from the environment is used
 * for loopback too.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fetch.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netns.h"

#define HEADERS_MAX ((size_t)128 << 10)

struct fetch {
    CURL *curl;
    struct curl_slist *headers;
    struct fetch_hooks hooks;
    void *ctx;
    struct fetch_reply reply;
    struct netns *netns;
    int body_fd;       /* of body_file, or -1 */
    bool begun;        /* the begin hook was called */
    bool stopped;      /* a hook ended the transfer */
    bool too_big;      /* the response's head is over its bound */
    struct err dialed; /* why the dial into a namespace failed */
    char *label;       /* "GET http://host:port/path", for messages: no query, no password */
    char text[CURL_ERROR_SIZE];
};

static void init_library(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct fetch *fetch_new(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_library);
    struct fetch *f = mem_alloc(sizeof *f);
    f->curl = curl_easy_init();
    if (f->curl == NULL) {
        abort(); /* out of memory */
    }
    f->body_fd = -1;
    return f;
}

static void release_request(struct fetch *f) {
    curl_slist_free_all(f->headers);
    f->headers = NULL;
    if (f->body_fd >= 0) {
        close(f->body_fd);
        f->body_fd = -1;
    }
}

void fetch_free(struct fetch *f) {
    if (f != NULL) {
        curl_easy_cleanup(f->curl);
        release_request(f);
        buf_clear(&f->reply.headers);
        free(f->label);
        free(f);
    }
}

const struct fetch_reply *fetch_reply(const struct fetch *f) {
    return &f->reply;
}

const char *fetch_label(const struct fetch *f) {
    return f->label;
}

void *fetch_handle(struct fetch *f) {
    return f->curl;
}

void fetch_resume(struct fetch *f) {
    curl_easy_pause(f->curl, CURLPAUSE_CONT);
}

const char *fetch_header(const struct fetch_reply *reply, const char *name) {
    const char *at = reply->headers.data, *end = at + reply->headers.len;
    while (at != NULL && at < end) {
        const char *value = at + strlen(at) + 1;
        if (strcmp(at, name) == 0) {
            return value;
        }
        at = value + strlen(value) + 1;
    }
    return NULL;
}

bool fetch_header_good(const char *name, const char *value, size_t len) {
    size_t n = 0;
    for (; name[n] != '\0'; n++) {
        if (!isalnum((unsigned char)name[n]) && strchr("!#$%&'*+-.^_`|~", name[n]) == NULL) {
            return false;
        }
    }
    return n > 0 && n < 256 && memchr(value, '\r', len) == NULL &&
           memchr(value, '\n', len) == NULL && memchr(value, '\0', len) == NULL;
}

/* One header line.  A status line begins a new head: of a redirect's goal, or after a 100. */
static size_t on_header(char *data, size_t size, size_t count, void *ctx) {
    struct fetch *f = ctx;
    size_t len = size * count, end = len;
    struct buf *headers = &f->reply.headers;
    if (len > 5 && memcmp(data, "HTTP/", 5) == 0) {
        buf_reset(headers);
        return len;
    }
    const char *colon = memchr(data, ':', len);
    if (colon == NULL || memchr(data, '\0', len) != NULL) {
        return len;
    }
    if (headers->len + len > HEADERS_MAX) {
        f->too_big = true;
        return 0;
    }
    for (const char *c = data; c < colon; c++) {
        buf_addc(headers, (char)tolower((unsigned char)*c));
    }
    buf_addc(headers, '\0');
    size_t at = (size_t)(colon - data) + 1;
    while (at < end && (data[at] == ' ' || data[at] == '\t')) {
        at++;
    }
    while (end > at && isspace((unsigned char)data[end - 1])) {
        end--;
    }
    buf_add(headers, data + at, end - at);
    buf_addc(headers, '\0');
    return len;
}

static bool begin(struct fetch *f) {
    if (!f->begun) {
        f->begun = true;
        long status = 0;
        curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
        f->reply.status = (int)status;
        f->stopped = f->hooks.begin != NULL && !f->hooks.begin(f->ctx, &f->reply);
    }
    return !f->stopped;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx) {
    struct fetch *f = ctx;
    size_t len = size * count;
    if (!begin(f)) {
        return len + 1; /* ends the transfer */
    }
    switch (f->hooks.body == NULL ? FETCH_ON : f->hooks.body(f->ctx, data, len)) {
    case FETCH_ON:
        return len;
    case FETCH_PAUSE:
        return CURL_WRITEFUNC_PAUSE;
    default:
        f->stopped = true;
        return len + 1;
    }
}

static size_t on_send(char *data, size_t size, size_t count, void *ctx) {
    struct fetch *f = ctx;
    ssize_t got;
    do {
        got = read(f->body_fd, data, size * count);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static int on_rewind(void *ctx, curl_off_t offset, int origin) {
    struct fetch *f = ctx;
    return lseek(f->body_fd, offset, origin) < 0 ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    struct fetch *f = ctx;
    (void)a, (void)b, (void)c, (void)d;
    f->stopped = f->stopped || (f->hooks.cancelled != NULL && f->hooks.cancelled(f->ctx));
    return f->stopped;
}

static curl_socket_t on_dial(void *ctx, curlsocktype purpose, struct curl_sockaddr *address) {
    struct fetch *f = ctx;
    (void)purpose;
    int fd =
        netns_socket(f->netns, address->family, address->socktype, address->protocol, &f->dialed);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* A loopback host is never behind a proxy. */
static bool is_loopback(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcasecmp(host, "localhost") == 0 ||
           strcmp(host, "[::1]") == 0;
}

/* Check the URL and take it apart: for `label`, and to know whether its host is loopback. */
static bool read_url(struct fetch *f, const struct fetch_spec *spec, const char *method,
                     bool *loopback, struct err *err) {
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
    bool good = curl_url_set(url, CURLUPART_URL, spec->url, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK;
    if (!good) {
        err_set(err, ERR_INVALID, "'%.100s' is not a URL", spec->url);
    } else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
        good =
            err_set(err, ERR_INVALID, "a URL begins with http:// or https://, not '%.20s'", scheme);
    } else {
        struct buf label = BUF_INIT;
        bool has_port = curl_url_get(url, CURLUPART_PORT, &port, 0) == CURLUE_OK;
        buf_addf(&label, "%s %s://%.200s%s%s%.200s", method, scheme, host, has_port ? ":" : "",
                 has_port ? port : "", path);
        free(f->label);
        f->label = buf_take(&label);
        *loopback = is_loopback(host);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_url_cleanup(url);
    return good;
}

static bool method_good(const char *method) {
    size_t n = strlen(method);
    return n > 0 && n <= 20 && strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == n;
}

static void add_header(struct fetch *f, const char *line) {
    struct curl_slist *more = curl_slist_append(f->headers, line);
    if (more == NULL) {
        abort(); /* out of memory */
    }
    f->headers = more;
}

static bool has_header(const struct fetch_spec *spec, const char *name) {
    size_t n = strlen(name);
    for (const char *const *h = spec->headers; h != NULL && *h != NULL; h++) {
        if (strncasecmp(*h, name, n) == 0 && (*h)[n] == ':') {
            return true;
        }
    }
    return false;
}

/* The caller's headers.  libcurl takes "name:" as "leave it out" and "name;" as an empty value. */
static void set_headers(struct fetch *f, const struct fetch_spec *spec) {
    for (const char *const *h = spec->headers; h != NULL && *h != NULL; h++) {
        const char *colon = strchr(*h, ':');
        if (colon != NULL && colon[1 + strspn(colon + 1, " ")] == '\0') {
            struct buf empty = BUF_INIT;
            buf_add(&empty, *h, (size_t)(colon - *h));
            buf_addc(&empty, ';');
            add_header(f, empty.data);
            buf_clear(&empty);
        } else {
            add_header(f, *h);
        }
    }
    add_header(f, "Expect:"); /* libcurl's own, of a POST */
    if (!has_header(spec, "content-type")) {
        add_header(f, "Content-Type:");
    }
    curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, f->headers);
}

static bool set_body(struct fetch *f, const struct fetch_spec *spec, const char *method,
                     struct err *err) {
    if (spec->body_file != NULL) {
        struct stat st;
        f->body_fd = open(spec->body_file, O_RDONLY | O_CLOEXEC);
        if (f->body_fd < 0 || fstat(f->body_fd, &st) != 0) {
            return err_errno(err, errno, "cannot read the body from %s", spec->body_file);
        }
        curl_easy_setopt(f->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)st.st_size);
        curl_easy_setopt(f->curl, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(f->curl, CURLOPT_READDATA, f);
        curl_easy_setopt(f->curl, CURLOPT_SEEKFUNCTION, on_rewind);
        curl_easy_setopt(f->curl, CURLOPT_SEEKDATA, f);
    } else if (spec->body != NULL) {
        curl_easy_setopt(f->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body_len);
        curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, spec->body);
    } else if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
               strcmp(method, "PATCH") == 0) { /* says Content-Length: 0, which servers ask for */
        curl_easy_setopt(f->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE, 0L);
    }
    return true;
}

static void set_limits(struct fetch *f, const struct fetch_spec *spec) {
    CURL *c = f->curl;
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)spec->connect_ms);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)spec->timeout_ms);
    if (spec->idle_ms > 0) {
        curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)(spec->idle_ms + 999) / 1000);
    }
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, spec->redirects > 0 ? 1L : 0L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)spec->redirects);
    curl_easy_setopt(c, CURLOPT_MAXCONNECTS, 8L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void set_dial(struct fetch *f, const struct fetch_spec *spec, bool loopback) {
    CURL *c = f->curl;
    f->netns = spec->netns;
    if (spec->netns != NULL) {
        curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_dial);
        curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f);
        curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
    }
    curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, spec->unix_path);
    if (loopback || spec->netns != NULL || spec->unix_path != NULL) {
        curl_easy_setopt(c, CURLOPT_PROXY, "");
    }
    if (spec->ca != NULL) {
        curl_easy_setopt(c, CURLOPT_CAINFO, spec->ca);
        curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
}

static void set_hooks(struct fetch *f) {
    CURL *c = f->curl;
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->text);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, f);
    curl_easy_setopt(c, CURLOPT_PRIVATE, f->ctx);
}

bool fetch_set(struct fetch *f, const struct fetch_spec *spec, const struct fetch_hooks *hooks,
               void *ctx, struct err *err) {
    bool has_body = spec->body != NULL || spec->body_file != NULL, loopback = false;
    const char *method = spec->method != NULL ? spec->method : has_body ? "POST" : "GET";
    if (!method_good(method)) {
        return err_set(err, ERR_INVALID, "'%.20s' is not a method", method);
    }
    curl_easy_reset(f->curl); /* keeps connections */
    release_request(f);
    f->hooks = *hooks;
    f->ctx = ctx;
    f->reply.status = 0;
    buf_reset(&f->reply.headers);
    f->begun = f->stopped = f->too_big = false;
    f->dialed.code = ERR_NONE;
    f->text[0] = '\0';
    if (!read_url(f, spec, method, &loopback, err) || !set_body(f, spec, method, err)) {
        return false;
    }
    curl_easy_setopt(f->curl, CURLOPT_URL, spec->url);
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(f->curl, CURLOPT_NOBODY, 1L);
    } else if (has_body ? strcmp(method, "POST") != 0 : strcmp(method, "GET") != 0) {
        curl_easy_setopt(f->curl, CURLOPT_CUSTOMREQUEST, method); /* else redirects may change it */
    }
    set_headers(f, spec);
    set_limits(f, spec);
    set_dial(f, spec, loopback);
    set_hooks(f);
    return true;
}

static enum err_code code_of(CURLcode result) {
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return ERR_INVALID;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return ERR_INTERNAL;
    default:
        return ERR_UNAVAILABLE; /* cannot resolve, connect, trust, or the peer broke off */
    }
}

bool fetch_finish(struct fetch *f, int curl_result, struct err *err) {
    CURLcode result = (CURLcode)curl_result;
    if (result == CURLE_OK && begin(f)) {
        release_request(f);
        return true;
    }
    release_request(f);
    if (f->stopped) {
        return err_set(err, ERR_UNAVAILABLE, "%s: given up", f->label);
    }
    if (f->too_big) {
        return err_set(err, ERR_INVALID, "%s: the response has over %zu bytes of headers", f->label,
                       HEADERS_MAX);
    }
    if (f->dialed.code != ERR_NONE) {
        return err_set(err, f->dialed.code, "%s: %s", f->label, f->dialed.text);
    }
    return err_set(err, code_of(result), "%s: %s", f->label,
                   f->text[0] != '\0' ? f->text : curl_easy_strerror(result));
}

bool fetch_run(struct fetch *f, struct err *err) {
    return fetch_finish(f, (int)curl_easy_perform(f->curl), err);
}
