/* test_config.c - config.lua, the environment and the command line.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "place.h"

/* Load a file of this text; the caller clears. */
static bool load(const char *text, const struct config_args *args, struct config *c,
                 struct err *err) {
    struct place p;
    place_open(&p);
    place_write(&p, "config.lua", text);
    bool ok = config_load(c, p.dir, args, err);
    place_close(&p);
    return ok;
}

static bool refused(const char *text, const char *place, const char *rule) {
    struct config_args args = {0};
    struct config c;
    struct err err = {0};
    bool ok = load(text, &args, &c, &err);
    config_clear(&c);
    return !ok && err.code == ERR_INVALID && strstr(err.text, place) != NULL &&
           strstr(err.text, rule) != NULL;
}

void test_config_has_defaults(void) {
    struct config_args args = {0};
    struct config c;
    struct place p;
    place_open(&p); /* no file in it */
    bool ok = config_load(&c, p.dir, &args, NULL) && strcmp(c.listen_host, "127.0.0.1") == 0 &&
              c.listen_port == 8700 && c.loopback && !c.trust_network &&
              strcmp(c.data, place_path(&p, "data")) == 0 && c.body_max == 1048576 &&
              strstr(c.json, "\"users\":[]") != NULL;
    config_clear(&c);
    place_close(&p);
    CHECK(ok);
}

void test_config_names_an_unknown_key_and_its_line(void) {
    CHECK(refused("return {\n  lissen = 1,\n}", "config.lua:2: lissen:", "no such setting"));
    CHECK(refused("return {\n  limits = {\n    bodi = 1,\n  },\n}",
                  "config.lua:3: limits.bodi:", "no such setting"));
    CHECK(refused("return {\n  [\"limits.body\"] = 2000,\n}", "limits.body:", "no such setting"));
    CHECK(refused("return { 1 }", "config.lua", "keys must be names"));
}

void test_config_names_a_wrong_type_and_a_bound(void) {
    CHECK(refused("return {\n\n  listen = 8700\n}", "config.lua:3: listen:", "must be a string"));
    CHECK(refused("return { limits = { body = 1.5 } }", "limits.body:", "integer from 1024 to"));
    CHECK(refused("return { limits = { body = 1 } }", "limits.body:", "integer from 1024 to"));
    CHECK(refused("return { trust_network = 1 }", "trust_network:", "true or false"));
    CHECK(refused("return { log_level = \"loud\" }",
                  "log_level:", "debug|info|warn|error, not 'loud'"));
    CHECK(refused("return { store = \"x\" }", "store:", "must be a table"));
    CHECK(refused("return { hosts = { 1 } }", "hosts:", "must be a name"));
    CHECK(refused("return 1", "config.lua:1", "must return one table"));
    CHECK(refused("return {", "config.lua:1", "expected"));
    CHECK(refused("return os.exit()", "config.lua:1", "os"));
}

void test_config_refuses_the_network_without_trust(void) {
    static const char *const open[] = {":8700",
                                       "0.0.0.0:8700",
                                       "[::]:8700",
                                       "192.168.1.2:8700",
                                       "example.org:80",
                                       "127.example.org:80",
                                       "127.0.0.1.example.org:80"};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        struct config_args args = {.listen = open[i]};
        struct config c;
        struct err err = {0};
        bool ok = load("return {}", &args, &c, &err);
        config_clear(&c);
        CHECK(!ok && strstr(err.text, "trust_network") != NULL);
    }
    struct config_args args = {.listen = "0.0.0.0:8700"};
    struct config c;
    bool ok = load("return { trust_network = true }", &args, &c, NULL) && !c.loopback;
    config_clear(&c);
    CHECK(ok);
}

void test_config_refuses_a_listen_that_is_no_address(void) {
    static const char *const bad[] = {"127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000",
                                      "127.0.0.1:1,0.0.0.0:2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct config_args args = {.listen = bad[i]};
        struct config c;
        struct err err = {0};
        bool ok = load("return {}", &args, &c, &err);
        config_clear(&c);
        CHECK(!ok && strstr(err.text, "is not ADDRESS:PORT") != NULL);
    }
}

void test_config_environment_beats_the_file(void) {
    struct config_args args = {0};
    struct config c;
    setenv("GOOSE_MODEL", "from-environment", 1);
    bool ok = load("return { model = { name = \"from-file\" } }", &args, &c, NULL) &&
              strstr(c.json, "\"name\":\"from-environment\"") != NULL;
    unsetenv("GOOSE_MODEL");
    config_clear(&c);
    CHECK(ok);
}

void test_config_command_line_beats_the_file(void) {
    struct config_args args = {.listen = "127.0.0.1:1",
                               .log_level = "warn",
                               .data = "/tmp/d",
                               .unsafe_no_isolation = true};
    struct config c;
    bool ok = load("return { listen = \"127.0.0.1:2\", log_level = \"debug\", data = \"x\" }",
                   &args, &c, NULL) &&
              c.listen_port == 1 && strcmp(c.log_level, "warn") == 0 &&
              strcmp(c.data, "/tmp/d") == 0 && c.unsafe_no_isolation &&
              strstr(c.json, "\"unsafe_no_isolation\":true") != NULL;
    config_clear(&c);
    CHECK(ok);
}

void test_config_a_named_file_must_exist(void) {
    struct config_args args = {.file = "/nonexistent/config.lua"};
    struct config c;
    struct err err = {0};
    CHECK(!config_load(&c, "/", &args, &err));
    CHECK(strstr(err.text, "/nonexistent/config.lua") != NULL);
    config_clear(&c);
}
