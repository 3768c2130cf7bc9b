/* sys.c - gander.sys: clocks, ids, secrets, names, the configuration and the host's script set.
 *
 * seal/unseal are AES-256-GCM under a key derived from the host's; a sealed text is "v1:" and the
 * base64 of nonce, ciphertext and tag.  hmac is HMAC-SHA-256 under another derived key.  fold is
 * NFKC case folding by utf8proc.  The scripts.* functions block while a trial VM runs (counted as
 * waiting).  Owns nothing.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utf8proc.h>

#include "bind/bind.h"
#include "value.h"
#include "wait.h"

#define NONCE_LEN  12
#define TAG_LEN    16
#define SEAL_MAX   (256 * 1024)
#define RANDOM_MAX 4096

static void fill_random(void *p, size_t n) {
    unsigned char *at = p;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
}

static void derived_key(lua_State *L, const char *purpose, unsigned char out[32]) {
    HMAC(EVP_sha256(), host_of(L)->key, 32, (const unsigned char *)purpose, strlen(purpose), out,
         NULL);
}

static void push_hex(lua_State *L, const unsigned char *bytes, size_t n) {
    char text[129];
    for (size_t i = 0; i < n; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    lua_pushlstring(L, text, 2 * n);
}

/* sys.now() -> ms      wall clock, milliseconds since 1970 */
static int f_now(lua_State *L) {
    lua_pushinteger(L, clock_now_ms());
    return 1;
}

/* sys.mono() -> ms     monotonic milliseconds */
static int f_mono(lua_State *L) {
    lua_pushinteger(L, clock_ms());
    return 1;
}

/* sys.uuid() -> text   version 7 (RFC 9562): sorts by time */
static int f_uuid(lua_State *L) {
    unsigned char b[16];
    fill_random(b, sizeof b);
    uint64_t ms = (uint64_t)clock_now_ms();
    for (int i = 0; i < 6; i++) {
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    }
    b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    char text[40];
    snprintf(text, sizeof text,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    lua_pushstring(L, text);
    return 1;
}

/* sys.random(n) -> bytes    n from 1 to 4096 */
static int f_random(lua_State *L) {
    lua_Integer n = luaL_checkinteger(L, 1);
    luaL_argcheck(L, n >= 1 && n <= RANDOM_MAX, 1, "1 to 4096 bytes");
    unsigned char bytes[RANDOM_MAX];
    fill_random(bytes, (size_t)n);
    lua_pushlstring(L, (const char *)bytes, (size_t)n);
    return 1;
}

/* sys.sha256(text) -> hex */
static int f_sha256(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    unsigned char digest[32];
    EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL);
    push_hex(L, digest, sizeof digest);
    return 1;
}

/* sys.hmac(text) -> hex     under the host's key: derived tokens */
static int f_hmac(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    unsigned char key[32], digest[32];
    derived_key(L, "gander hmac", key);
    HMAC(EVP_sha256(), key, sizeof key, (const unsigned char *)text, len, digest, NULL);
    push_hex(L, digest, sizeof digest);
    return 1;
}

/* Encrypt into `out` = nonce, ciphertext, tag; out has room for len + 28. */
static bool encrypt(const unsigned char key[32], const char *text, size_t len, unsigned char *out) {
    fill_random(out, NONCE_LEN);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, last = 0;
    bool ok =
        ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, out) == 1 &&
        EVP_EncryptUpdate(ctx, out + NONCE_LEN, &n, (const unsigned char *)text, (int)len) == 1 &&
        EVP_EncryptFinal_ex(ctx, out + NONCE_LEN + n, &last) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, out + NONCE_LEN + len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static bool decrypt(const unsigned char key[32], unsigned char *in, size_t len,
                    unsigned char *out) {
    if (len < NONCE_LEN + TAG_LEN) {
        return false;
    }
    size_t n = len - NONCE_LEN - TAG_LEN;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int got = 0, last = 0;
    bool ok = ctx != NULL && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, in) == 1 &&
              EVP_DecryptUpdate(ctx, out, &got, in + NONCE_LEN, (int)n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, in + NONCE_LEN + n) == 1 &&
              EVP_DecryptFinal_ex(ctx, out + got, &last) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* sys.seal(text) -> sealed text     at most 256 KiB */
static int f_seal(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len <= SEAL_MAX, 1, "at most 256 KiB can be sealed");
    unsigned char key[32];
    derived_key(L, "gander seal", key);
    struct buf *raw = buf_push(L), *out = buf_push(L);
    size_t total = len + NONCE_LEN + TAG_LEN;
    if (!encrypt(key, text, len, (unsigned char *)buf_room(raw, total))) {
        return luaL_error(L, "seal: the cipher failed");
    }
    buf_adds(out, "v1:");
    char *to = buf_room(out, total / 3 * 4 + 8);
    out->len +=
        (size_t)EVP_EncodeBlock((unsigned char *)to, (unsigned char *)raw->data, (int)total);
    lua_pushlstring(L, out->data, out->len);
    return 1;
}

/* sys.unseal(sealed) -> text
 *                    -> nil, message, "invalid"    not sealed by this key, or changed */
static int f_unseal(lua_State *L) {
    size_t len;
    const char *sealed = luaL_checklstring(L, 1, &len);
    struct buf *raw = buf_push(L), *out = buf_push(L);
    unsigned char key[32];
    derived_key(L, "gander seal", key);
    bool ok = len > 3 && len < 2 * SEAL_MAX && memcmp(sealed, "v1:", 3) == 0;
    int n = -1;
    if (ok) {
        n = EVP_DecodeBlock((unsigned char *)buf_room(raw, len), (const unsigned char *)sealed + 3,
                            (int)len - 3);
        for (size_t i = len; n > 0 && i > 0 && sealed[i - 1] == '='; i--) {
            n--; /* EVP_DecodeBlock counts the padding as bytes */
        }
    }
    ok = n > 0 && decrypt(key, (unsigned char *)raw->data, (size_t)n,
                          (unsigned char *)buf_room(out, (size_t)n));
    if (!ok) {
        struct err err;
        err_set(&err, ERR_INVALID,
                "this value was not sealed with the key in use (GANDER_KEY or <data>/key)");
        return fail(L, &err);
    }
    lua_pushlstring(L, out->data, (size_t)n - NONCE_LEN - TAG_LEN);
    return 1;
}

/* sys.fold(text) -> text     NFKC case folding: equal for names that differ only in case
 *                -> nil, message, "invalid"    bad UTF-8 */
static int f_fold(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct buf *out = buf_push(L);
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t n = utf8proc_map(
        (const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &folded,
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    if (n < 0) {
        struct err err;
        err_set(&err, ERR_INVALID, "fold: %s", utf8proc_errmsg(n));
        return fail(L, &err);
    }
    buf_add(out, folded, (size_t)n);
    free(folded);
    lua_pushlstring(L, out->data, out->len);
    return 1;
}

/* scripts.list() -> {generation, loaded_at, faults, items} */
static int f_scripts_list(lua_State *L) {
    struct host *h = host_of(L);
    struct buf *json = buf_push(L);
    struct err err;
    if (h->scripts == NULL || !h->scripts_list(h->scripts, json, &err) ||
        !value_decode(L, json->data, json->len, VALUE_TYPED, VALUE_DEPTH, &err)) {
        return luaL_error(L, "this host has no script set");
    }
    return 1;
}

/* scripts.text(path) -> text
 *                    -> nil    no such file */
static int f_scripts_text(lua_State *L) {
    struct host *h = host_of(L);
    const char *path = luaL_checkstring(L, 1);
    struct buf *text = buf_push(L);
    if (h->scripts == NULL || !h->scripts_text(h->scripts, path, text)) {
        return 0;
    }
    lua_pushlstring(L, text->data == NULL ? "" : text->data, text->len);
    return 1;
}

typedef bool edit_function(struct scripts *s, const char *json, size_t len, struct buf *out,
                           struct err *err);

static int call_edit(lua_State *L, edit_function *f) {
    struct host *h = host_of(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    struct buf *in = buf_push(L), *out = buf_push(L);
    struct err err;
    if (h->scripts == NULL) {
        return luaL_error(L, "this host has no script set");
    }
    if (!value_encode(in, L, 1, VALUE_TYPED, &err)) {
        return luaL_error(L, "scripts: %s", err.text);
    }
    wait_begin(h->wait);
    bool ok = f(h->scripts, in->data, in->len, out, &err);
    wait_end(h->wait);
    if (!ok) {
        return fail(L, &err);
    }
    return value_decode(L, out->data, out->len, VALUE_TYPED, VALUE_DEPTH, &err) ? 1 : fail(L, &err);
}

/* scripts.check{files={path=text|json.null}} -> {ok, diagnostics}
 *                                            -> nil, message, code */
static int f_scripts_check(lua_State *L) {
    return call_edit(L, host_of(L)->scripts_check);
}

/* scripts.publish{files=, if_match={path=etag|"none"}} -> {written, live, generation, diagnostics}
 *                                                      -> nil, message, "conflict" | … */
static int f_scripts_publish(lua_State *L) {
    return call_edit(L, host_of(L)->scripts_publish);
}

/* sys.metrics() -> text     the host's own figures in Prometheus' text format */
static int f_metrics(lua_State *L) {
    struct host *h = host_of(L);
    struct buf *out = buf_push(L);
    if (h->metrics != NULL) {
        h->metrics(h, out);
    }
    lua_pushlstring(L, out->data == NULL ? "" : out->data, out->len);
    return 1;
}

/* sys.waiting() -> {total, waiting}    calls in progress, and those that only wait */
static int f_waiting(lua_State *L) {
    struct wait_count n = wait_counts(host_of(L)->wait);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, n.total);
    lua_setfield(L, -2, "total");
    lua_pushinteger(L, n.waiting);
    lua_setfield(L, -2, "waiting");
    return 1;
}

static int read_only(lua_State *L) {
    return luaL_error(L, "the configuration is read-only ('%s')", luaL_tolstring(L, 2, NULL));
}

/* Refuse new keys, all the way down. */
static void freeze(lua_State *L, int index) {
    index = lua_absindex(L, index);
    luaL_checkstack(L, 8, "configuration");
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -1) == LUA_TTABLE) {
            freeze(L, -1);
        }
    }
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, read_only);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, index);
}

static const luaL_Reg scripts_list[] = {
    {"check", f_scripts_check},     /* would this set do? */
    {"list", f_scripts_list},       /* what is there */
    {"publish", f_scripts_publish}, /* check, write, make live */
    {"text", f_scripts_text},       /* one file */
    {NULL, NULL},
};

static const luaL_Reg function_list[] = {
    {"fold", f_fold},       /* NFKC case folding */
    {"hmac", f_hmac},       /* derived token, hex */
    {"metrics", f_metrics}, /* the host's figures */
    {"mono", f_mono},       /* monotonic ms */
    {"now", f_now},         /* wall clock ms */
    {"random", f_random},   /* random bytes */
    {"seal", f_seal},       /* encrypt for the store */
    {"sha256", f_sha256},   /* hash, hex */
    {"unseal", f_unseal},   /* and back */
    {"uuid", f_uuid},       /* version 7 */
    {"waiting", f_waiting}, /* calls in progress */
    {NULL, NULL},
};

static void set_text(lua_State *L, const char *name, const char *text) {
    lua_pushstring(L, text == NULL ? "" : text);
    lua_setfield(L, -2, name);
}

int luaopen_gander_sys(lua_State *L) {
    struct host *h = host_of(L);
    luaL_newlib(L, function_list);
    luaL_newlib(L, scripts_list);
    lua_setfield(L, -2, "scripts");
    const char *json = h->config_json == NULL ? "{}" : h->config_json;
    struct err err;
    if (!value_decode(L, json, strlen(json), 0, VALUE_DEPTH, &err)) {
        return luaL_error(L, "configuration: %s", err.text);
    }
    freeze(L, -1);
    lua_setfield(L, -2, "config");
    set_text(L, "data", h->data);
    set_text(L, "home", h->home);
    lua_newtable(L);
    set_text(L, "version", h->version);
    set_text(L, "commit", h->commit);
    lua_pushinteger(L, h->started_at);
    lua_setfield(L, -2, "started_at");
    lua_pushinteger(L, side_of(L)->generation);
    lua_setfield(L, -2, "generation");
    lua_setfield(L, -2, "version");
    return 1;
}
