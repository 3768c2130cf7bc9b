/* serve.c - the running host: the one place where the floors are wired together.
 *
 * Start, floor by floor: data directory (locked: one host each), key, bus, follow, workers with the
 * script set, then lib/boot (store and installation, providers), then the doors.  Stop in the
 * other order.  SIGINT and SIGTERM end it; sandboxes live on.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus.h"
#include "cli.h"
#include "follow.h"
#include "httpd.h"
#include "jobs.h"
#include "log.h"
#include "relay.h"
#include "scripts.h"
#include "sse.h"
#include "value.h"
#include "wait.h"
#include "watch.h"
#include "workers.h"

#define HOOK_MS      30000 /* a replay or a batch of follow */
#define BOOT_MS      60000
#define STREAMS_MAX  20000
#define JOBS_MAX     24
#define STOP_WAIT_MS 5000

struct serving {
    struct host host;
    const struct config *config;
    struct scripts *scripts;
    struct workers *workers;
    struct sse *sse;
    struct relay *relay;
    struct httpd *_Atomic httpd; /* serves metrics before httpd_start has returned */
    struct jobs *_Atomic jobs;   /* the same */
    struct watch *watch;
    struct assets *assets;
    int lock_fd;
};

static bool open_data(struct serving *s, struct err *err) {
    const char *data = s->config->data;
    struct stat about;
    if (mkdir(data, 0700) != 0 && errno != EEXIST) {
        return err_errno(err, errno, "data directory %s", data);
    }
    if (stat(data, &about) == 0 && !S_ISDIR(about.st_mode)) {
        return err_set(err, ERR_INVALID, "data directory %s is not a directory", data);
    }
    if (access(data, W_OK | X_OK) != 0) {
        return err_errno(err, errno, "data directory %s cannot be written", data);
    }
    struct buf path = BUF_INIT;
    buf_addf(&path, "%s/gander.lock", data);
    s->lock_fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool ok = s->lock_fd >= 0 || err_errno(err, errno, "%s", path.data);
    /* Of the process, not of the descriptor: a child that was forked but has not reached its exec
     * when this process is killed would keep flock's lock and stop the next start. */
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (ok && fcntl(s->lock_fd, F_SETLK, &lock) != 0) {
        ok = err_set(err, ERR_CONFLICT, "another Gander runs on the data directory %s", data);
    }
    buf_clear(&path);
    return ok;
}

static bool hook_replay(void *ctx, const char *name, const char *json, size_t len,
                        struct buf *result, struct err *err) {
    struct serving *s = ctx;
    return workers_call(s->workers, name, json, len, HOOK_MS, result, err);
}

/* follow delivers to "collect": the job file jobs/collect, function batch. */
static bool hook_deliver(void *ctx, const char *job, const char *json, size_t len,
                         struct buf *result, struct err *err) {
    struct serving *s = ctx;
    struct buf name = BUF_INIT;
    buf_addf(&name, "jobs/%s#batch", job);
    bool ok = workers_call(s->workers, name.data, json, len, HOOK_MS, result, err);
    buf_clear(&name);
    return ok;
}

/* The set or its error changed: record it and tell the pages. */
static void on_scripts(void *ctx) {
    struct serving *s = ctx;
    struct buf result = BUF_INIT;
    struct err err;
    if (!workers_call(s->workers, "lib/history#changed", NULL, 0, HOOK_MS, &result, &err)) {
        log_line(LOG_ERROR, "scripts: the history: %s", err.text);
    }
    buf_clear(&result);
}

static void on_watch(void *ctx) {
    scripts_reload(((struct serving *)ctx)->scripts);
}

static struct serving *metrics_of; /* host.metrics gets the host alone; set once before threads */

static void metrics(struct host *host, struct buf *out) {
    struct serving *s = metrics_of;
    struct httpd *httpd = s->httpd;
    struct jobs *running = s->jobs;
    if (httpd != NULL) {
        httpd_metrics(httpd, out);
    }
    struct sse_count streams = sse_counts(s->sse);
    struct wait_count calls = wait_counts(host->wait);
    struct jobs_count jobs = running == NULL ? (struct jobs_count){0} : jobs_counts(running);
    struct bus_count bus = bus_counts(host->bus);
    const struct {
        const char *name, *type;
        int64_t value;
    } rows[] = {{"gander_streams", "gauge", streams.clients},
                {"gander_stream_events_total", "counter", streams.events},
                {"gander_streams_dropped_total", "counter", streams.dropped},
                {"gander_calls", "gauge", calls.total},
                {"gander_calls_waiting", "gauge", calls.waiting},
                {"gander_jobs_running", "gauge", jobs.running},
                {"gander_jobs_done_total", "counter", jobs.done},
                {"gander_jobs_failed_total", "counter", jobs.failed},
                {"gander_events_published_total", "counter", bus.published},
                {"gander_script_generation", "gauge", scripts_generation(s->scripts)},
                {"gander_start_time_ms", "gauge", host->started_at}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_addf(out, "# TYPE %s %s\n%s %lld\n", rows[i].name, rows[i].type, rows[i].name,
                 (long long)rows[i].value);
    }
}

static bool start_engines(struct serving *s, const char *home, struct err *err) {
    const struct config *c = s->config;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    host_init(&s->host, home, c);
    s->host.bus = bus_new(NULL);
    s->host.wait = wait_new(cores > 0 ? 2 * (int)cores : 2, c->workers_max);
    s->relay = relay_new();
    if (!host_key(&s->host, err)) {
        return false;
    }
    struct follow_hooks follow_hooks = {s, hook_deliver};
    struct sse_hooks sse_hooks = {s, hook_replay};
    s->host.follow = follow_new(s->host.bus, &follow_hooks, err);
    s->sse = s->host.follow == NULL ? NULL : sse_new(s->host.bus, &sse_hooks, STREAMS_MAX, err);
    return s->sse != NULL;
}

static bool start_scripts(struct serving *s, struct err *err) {
    const struct config *c = s->config;
    s->scripts = scripts_open(&s->host, c->scripts, (size_t)c->call_memory, err);
    if (s->scripts == NULL) {
        return false;
    }
    s->host.scripts = s->scripts;
    s->host.scripts_list = scripts_list;
    s->host.scripts_text = scripts_text;
    s->host.scripts_check = scripts_check;
    s->host.scripts_publish = scripts_publish;
    s->host.metrics = metrics;
    metrics_of = s;
    s->workers = workers_new(&s->host, s->scripts, (size_t)c->call_memory);
    scripts_on_change(s->scripts, on_scripts, s);
    return true;
}

/* lib/boot#start opens the store and looks at the providers; it answers with the banner's text. */
static bool boot(struct serving *s, struct buf *banner, struct err *err) {
    return workers_call(s->workers, "lib/boot#start", NULL, 0, BOOT_MS, banner, err);
}

static bool start_doors(struct serving *s, struct err *err) {
    struct buf dist = BUF_INIT;
    buf_addf(&dist, "%s/www/dist", s->host.home);
    s->assets = assets_open(dist.data);
    buf_clear(&dist);
    s->watch = watch_start(s->config->scripts, on_watch, s, err);
    if (s->watch == NULL) {
        return false;
    }
    s->jobs = jobs_start(s->host.bus, s->workers, JOBS_MAX);
    struct httpd_parts parts = {&s->host,  s->config, s->scripts, s->workers,
                                s->assets, s->sse,    s->relay};
    s->httpd = httpd_start(&parts, err);
    return s->httpd != NULL;
}

/* The banner: a JSON string of lines. */
static void print_banner(const struct serving *s, const struct buf *banner) {
    struct value_scan scan;
    value_scan_init(&scan, banner->data, banner->len, 4, NULL);
    bool text = value_next(&scan) == VALUE_STRING;
    const char *host = s->config->listen_host[0] == '\0' ? "0.0.0.0" : s->config->listen_host;
    printf("%s\n  Open      http://%s:%d/\n  Stop      Ctrl-C (sandboxes go on; they are found "
           "again at the next start)\n\n",
           text ? scan.text.data : "", host, httpd_port(s->httpd));
    fflush(stdout);
    value_scan_clear(&scan);
}

static void wait_for_signal(void) {
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigwait(&set, &number);
    log_line(LOG_INFO, "stopping (signal %d)", number);
}

/* Block the signals before any thread starts, so that only sigwait sees them; many descriptors. */
static void prepare_process(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    umask(0077);
}

static void stop(struct serving *s) {
    watch_stop(s->watch);
    if (s->sse != NULL) {
        sse_stop(s->sse);
    }
    if (s->host.bus != NULL) {
        bus_stop(s->host.bus);
    }
    httpd_stop(s->httpd);
    if (s->host.follow != NULL) {
        follow_stop(s->host.follow);
    }
    if (s->jobs != NULL && !jobs_stop(s->jobs, STOP_WAIT_MS)) {
        log_line(LOG_WARN, "jobs still run; they are taken up again at the next start");
        fflush(NULL);
        _exit(0);
    }
    workers_free(s->workers);
    scripts_free(s->scripts);
    sse_free(s->sse);
    relay_free(s->relay);
    if (s->host.follow != NULL) {
        follow_free(s->host.follow);
    }
    bus_free(s->host.bus);
    wait_free(s->host.wait);
    assets_free(s->assets);
    if (s->lock_fd >= 0) {
        close(s->lock_fd);
    }
}

int serve(const char *home, const struct config *config) {
    struct serving s = {.config = config, .lock_fd = -1};
    struct buf banner = BUF_INIT;
    struct err err;
    prepare_process();
    bool ok = open_data(&s, &err) && start_engines(&s, home, &err) && start_scripts(&s, &err) &&
              boot(&s, &banner, &err) && start_doors(&s, &err);
    if (ok) {
        on_scripts(&s);
        print_banner(&s, &banner);
        wait_for_signal();
    } else {
        fprintf(stderr, "gander: %s\n", err.text);
    }
    buf_clear(&banner);
    stop(&s);
    return ok ? 0 : 1;
}
