/* cli.c - see cli.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <lauxlib.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "follow.h"
#include "log.h"
#include "scripts.h"
#include "spec.h"
#include "version.h"
#include "vm.h"
#include "wait.h"

static const char usage[] =
    "Gander: an isolated Goose agent for every project.\n"
    "\n"
    "usage: gander [serve] [options]     run the host (the default)\n"
    "       gander check [files]         check the scripts: contracts and tests; files narrow what "
    "is shown\n"
    "       gander test [pattern]        run the Lua specs of tests/spec\n"
    "       gander repl                  evaluate Lua lines with gander.* at hand\n"
    "       gander version\n"
    "\n"
    "options:\n"
    "  --config FILE            settings (default: config.lua beside gander)\n"
    "  --listen ADDR:PORT       where to listen (default 127.0.0.1:8700)\n"
    "  --data DIR               database, sandboxes, keys (default: data beside config.lua)\n"
    "  --scripts DIR            the scripts (default: scripts beside config.lua)\n"
    "  --log-level L            debug, info, warn or error\n"
    "  --unsafe-no-isolation    run projects as plain processes where no sandbox is possible:\n"
    "                           their code then runs as you and can read your files and keys\n"
    "  -h, --help               this text\n";

static int failed(const struct err *err) {
    fprintf(stderr, "gander: %s\n", err->text);
    return 1;
}

/* A host with nothing running, for check, test and repl. */
static void tool_host(struct host *host, const char *home, const struct config *config) {
    host_init(host, home, config);
    host->bus = bus_new(NULL);
    memset(host->key, 7, sizeof host->key);
}

static bool names_file(char **files, const char *path) {
    for (; *files != NULL; files++) {
        if (strstr(*files, path) != NULL || strstr(path, *files) != NULL) {
            return true;
        }
    }
    return false;
}

/* The first file that is none of the set's, or NULL. */
static const char *stranger(const struct script_set *set, char **files) {
    for (; *files != NULL; files++) {
        bool known = false;
        char *one[] = {*files, NULL};
        for (size_t i = 0; i < set->count && !known; i++) {
            known = names_file(one, set->files[i].path);
        }
        if (!known) {
            return *files;
        }
    }
    return NULL;
}

static int check(struct host *host, const struct config *config, char **files) {
    struct err err;
    struct script_set *set = script_set_read(config->scripts, &err);
    if (set == NULL) {
        return failed(&err);
    }
    const char *unknown = stranger(set, files);
    if (unknown != NULL) {
        fprintf(stderr, "gander: %s has no script '%s'\n", config->scripts, unknown);
        script_set_release(set);
        return 2;
    }
    struct faults faults = {NULL, 0};
    router_free(trial_run(host, set, (size_t)config->call_memory, &faults));
    int shown = 0;
    for (size_t i = 0; i < faults.count; i++) {
        const struct fault *f = &faults.list[i];
        if (*files == NULL || names_file(files, f->file)) {
            printf("%s:%d: %s\n", f->file, f->line, f->message);
            shown++;
        }
    }
    printf("%zu scripts, %d faults\n", set->count, shown);
    faults_clear(&faults);
    script_set_release(set);
    return shown == 0 ? 0 : 1;
}

/* What a spec follows has no job to go to: batches count as delivered. */
static bool take_batch(void *ctx, const char *job, const char *json, size_t len, struct buf *result,
                       struct err *err) {
    (void)ctx, (void)job, (void)json, (void)len, (void)err;
    buf_adds(result, "null");
    return true;
}

static int test(struct host *host, const struct config *config, const char *pattern) {
    struct err err;
    host->follow = follow_new(host->bus, &(struct follow_hooks){NULL, take_batch}, &err);
    if (host->follow == NULL) {
        return failed(&err);
    }
    struct script_set *set = script_set_read(config->scripts, &err);
    if (set == NULL) {
        return failed(&err);
    }
    struct buf dir = BUF_INIT;
    buf_addf(&dir, "%s/tests/spec", host->home);
    bool ok = spec_run(host, set, dir.data, pattern);
    buf_clear(&dir);
    script_set_release(set);
    follow_free(host->follow);
    return ok ? 0 : 1;
}

static int eval_line(lua_State *L) {
    const char *line = lua_touserdata(L, 1);
    const char *text = lua_pushfstring(L, "local require = ...; return %s", line);
    if (luaL_loadbufferx(L, text, strlen(text), "=repl", "t") != LUA_OK &&
        luaL_loadbufferx(L, line, strlen(line), "=repl", "t") != LUA_OK) {
        return lua_error(L);
    }
    int first = lua_gettop(L);
    lua_getglobal(L, "require");
    lua_call(L, 1, LUA_MULTRET);
    for (int i = first; i <= lua_gettop(L); i++) {
        printf("%s%s", i > first ? "\t" : "", luaL_tolstring(L, i, NULL));
        lua_pop(L, 1);
    }
    printf("\n");
    return 0;
}

static int repl(struct host *host, const struct config *config) {
    struct err err;
    struct script_set *set = script_set_read(config->scripts, &err);
    struct vm *vm = set == NULL ? NULL : vm_new(host, set, (size_t)config->call_memory, &err);
    if (vm == NULL) {
        return failed(&err);
    }
    char line[4096];
    while (fputs("> ", stdout), fflush(stdout), fgets(line, sizeof line, stdin) != NULL) {
        if (!vm_run(vm, eval_line, line, clock_ms() + config->call_ms, &err)) {
            printf("%s\n", err.text);
        }
    }
    printf("\n");
    vm_free(vm);
    script_set_release(set);
    return 0;
}

/* The directory of the running program; `share/gander` beside bin/ when it was installed. */
static char *find_home(void) {
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 3; up++) { /* beside it, or above build/<variant>/ */
        char *slash = strrchr(self, '/');
        if (slash == NULL) {
            break;
        }
        *slash = '\0';
        static const char *const places[] = {"", "/share/gander"};
        for (size_t i = 0; i < 2; i++) {
            struct buf path = BUF_INIT;
            buf_addf(&path, "%s%s/scripts/lib", self, places[i]);
            bool found = access(path.data, R_OK) == 0;
            path.len -= strlen("/scripts/lib");
            path.data[path.len] = '\0';
            if (found) {
                return buf_take(&path);
            }
            buf_clear(&path);
        }
    }
    return getcwd(NULL, 0);
}

static int misuse(const char *what, const char *word) {
    fprintf(stderr, "gander: %s '%s'\n\n%s", what, word, usage);
    return 2;
}

/* The options; the rest stays at argv[optind…]. */
static bool parse(int argc, char **argv, struct config_args *args, int *status) {
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"listen", required_argument, NULL, 'l'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"scripts", required_argument, NULL, 's'},
                                            {"log-level", required_argument, NULL, 'L'},
                                            {"unsafe-no-isolation", no_argument, NULL, 'u'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            args->file = optarg;
            break;
        case 'l':
            args->listen = optarg;
            break;
        case 'd':
            args->data = optarg;
            break;
        case 's':
            args->scripts = optarg;
            break;
        case 'L':
            args->log_level = optarg;
            break;
        case 'u':
            args->unsafe_no_isolation = true;
            break;
        case 'h':
            fputs(usage, stdout);
            *status = 0;
            return false;
        default:
            fprintf(stderr, "\n%s", usage);
            *status = 2;
            return false;
        }
    }
    return true;
}

static int run(const char *command, char **rest, const char *home, const struct config *config) {
    if (strcmp(command, "serve") == 0) {
        return serve(home, config);
    }
    struct host host;
    tool_host(&host, home, config);
    int status = strcmp(command, "check") == 0  ? check(&host, config, rest)
                 : strcmp(command, "test") == 0 ? test(&host, config, rest[0])
                                                : repl(&host, config);
    bus_free(host.bus);
    return status;
}

int cli_main(int argc, char **argv) {
    static const char *const commands[] = {"serve", "check", "test", "repl"};
    struct config_args args = {0};
    int status;
    signal(SIGPIPE, SIG_IGN);
    if (!parse(argc, argv, &args, &status)) {
        return status;
    }
    const char *command = optind < argc ? argv[optind++] : "serve";
    bool version = strcmp(command, "version") == 0, known = version;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        known = known || strcmp(commands[i], command) == 0;
    }
    if (!known) {
        return misuse("there is no command", command);
    }
    if (optind < argc &&
        (version || strcmp(command, "serve") == 0 || strcmp(command, "repl") == 0)) {
        return misuse("unexpected argument", argv[optind]);
    }
    if (version) {
        printf("gander %s (%s)\n", gander_version, gander_commit);
        return 0;
    }
    char *home = find_home();
    struct config config;
    struct err err;
    bool ok = config_load(&config, home, &args, &err);
    enum log_level level;
    if (ok && !log_level_of(config.log_level, &level)) {
        ok = err_set(&err, ERR_INVALID, "log level '%s' is none of debug, info, warn, error",
                     config.log_level);
    }
    if (ok) {
        log_set_level(level);
        status = run(command, argv + optind, home, &config);
    } else {
        fprintf(stderr, "gander: %s\n", err.text);
        status = err.code == ERR_INVALID ? 2 : 1;
    }
    config_clear(&config);
    free(home);
    return status;
}
