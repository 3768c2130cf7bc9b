/* scripts.c - see scripts.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scripts.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "scripts_disk.h"
#include "value.h"

struct scripts {
    struct host *host;
    char *dir;
    size_t vm_memory;
    void (*on_change)(void *ctx);
    void *on_change_ctx;
    pthread_mutex_t publishing; /* one publisher at a time; guards the disk */
    pthread_mutex_t lock;       /* guards what follows */
    struct live *live;
    struct script_set *disk; /* as last read or written */
    struct faults faults;    /* why the disk is not live; empty when it is */
};

static struct live *live_new(struct script_set *set, struct router *router) {
    struct live *live = mem_alloc(sizeof *live);
    atomic_init(&live->users, 1);
    live->set = set;
    live->router = router;
    return live;
}

void live_release(struct live *live) {
    if (live != NULL && atomic_fetch_sub(&live->users, 1) == 1) {
        script_set_release(live->set);
        router_free(live->router);
        free(live);
    }
}

struct live *scripts_live(struct scripts *s) {
    pthread_mutex_lock(&s->lock);
    struct live *live = s->live;
    atomic_fetch_add(&live->users, 1);
    pthread_mutex_unlock(&s->lock);
    return live;
}

int64_t scripts_generation(struct scripts *s) {
    pthread_mutex_lock(&s->lock);
    int64_t generation = s->live->set->generation;
    pthread_mutex_unlock(&s->lock);
    return generation;
}

void scripts_on_change(struct scripts *s, void (*f)(void *ctx), void *ctx) {
    s->on_change = f;
    s->on_change_ctx = ctx;
}

static void changed(struct scripts *s) {
    if (s->on_change != NULL) {
        s->on_change(s->on_change_ctx);
    }
}

/* Take over the disk set; with a router it becomes the next generation.  Called by the publisher.
 */
static void take(struct scripts *s, struct script_set *disk, struct router *router,
                 struct faults *faults) {
    struct live *old = NULL;
    if (router != NULL) {
        disk->generation = s->live->set->generation + 1;
        script_set_save(s->host->data, disk);
    }
    pthread_mutex_lock(&s->lock);
    if (router != NULL) {
        old = s->live;
        s->live = live_new(script_set_retain(disk), router);
    }
    struct script_set *old_disk = s->disk;
    struct faults old_faults = s->faults;
    s->disk = disk;
    s->faults = *faults;
    int64_t generation = s->live->set->generation;
    pthread_mutex_unlock(&s->lock);
    *faults = (struct faults){NULL, 0};
    script_set_release(old_disk);
    faults_clear(&old_faults);
    live_release(old);
    if (router != NULL) {
        log_line(LOG_INFO, "scripts: generation %lld is live", (long long)generation);
    }
}

static void log_faults(struct scripts *s) {
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->faults.count; i++) {
        const struct fault *f = &s->faults.list[i];
        log_line(LOG_ERROR, "scripts: %s:%d: %s; generation %lld stays in force", f->file, f->line,
                 f->message, (long long)s->live->set->generation);
    }
    pthread_mutex_unlock(&s->lock);
}

/* Is the set what is live already?  Only the publisher changes `live`. */
static bool is_live(struct scripts *s, const struct script_set *set) {
    return strcmp(set->hash, s->live->set->hash) == 0;
}

void scripts_reload(struct scripts *s) {
    struct err err;
    pthread_mutex_lock(&s->publishing);
    struct script_set *set = script_set_read(s->dir, &err);
    struct faults faults = {NULL, 0};
    if (set == NULL) {
        log_line(LOG_ERROR, "scripts: %s", err.text);
    } else if (strcmp(set->hash, s->disk->hash) == 0) {
        script_set_release(set); /* nothing that the last look did not see */
    } else {
        struct router *router =
            is_live(s, set) ? NULL : trial_run(s->host, set, s->vm_memory, &faults);
        take(s, set, router, &faults);
        log_faults(s);
        changed(s);
    }
    pthread_mutex_unlock(&s->publishing);
}

struct scripts *scripts_open(struct host *host, const char *dir, size_t vm_memory,
                             struct err *err) {
    struct script_set *disk = script_set_read(dir, err);
    if (disk == NULL) {
        return NULL;
    }
    struct faults faults = {NULL, 0};
    struct script_set *good = script_set_load(host->data);
    struct script_set *set = script_set_retain(disk);
    struct router *router = trial_run(host, disk, vm_memory, &faults);
    if (router != NULL) {
        bool same = good != NULL && strcmp(good->hash, disk->hash) == 0;
        disk->generation = good == NULL ? 1 : good->generation + (same ? 0 : 1);
        script_set_save(host->data, disk);
    } else if (good != NULL) {
        struct faults old = {NULL, 0};
        script_set_release(set);
        set = script_set_retain(good);
        router = trial_run(host, good, vm_memory, &old);
        faults_clear(&old);
    }
    script_set_release(good);
    if (router == NULL) {
        err_set(err, ERR_INVALID, "%s/%s:%d: %s", dir, faults.list[0].file, faults.list[0].line,
                faults.list[0].message);
        script_set_release(set);
        script_set_release(disk);
        faults_clear(&faults);
        return NULL;
    }
    struct scripts *s = mem_alloc(sizeof *s);
    *s = (struct scripts){.host = host,
                          .dir = mem_dup(dir),
                          .vm_memory = vm_memory,
                          .live = live_new(set, router),
                          .disk = disk,
                          .faults = faults};
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->publishing, NULL);
    log_faults(s);
    return s;
}

void scripts_free(struct scripts *s) {
    if (s == NULL) {
        return;
    }
    live_release(s->live);
    script_set_release(s->disk);
    faults_clear(&s->faults);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->publishing);
    free(s->dir);
    free(s);
}

static void write_file(struct buf *json, const struct script_file *f) {
    buf_adds(json, "{\"path\":");
    value_string(json, f->path, strlen(f->path));
    buf_adds(json, ",\"kind\":");
    value_string(json, f->path, strcspn(f->path, "/"));
    buf_addf(json, ",\"size\":%zu,\"etag\":\"%s\",\"modified_at\":{\"$date\":%lld}}", f->len,
             f->hash, (long long)f->modified_ms);
}

bool scripts_list(struct scripts *s, struct buf *json, struct err *err) {
    (void)err;
    pthread_mutex_lock(&s->lock);
    buf_addf(json, "{\"generation\":%lld,\"loaded_at\":{\"$date\":%lld},\"faults\":",
             (long long)s->live->set->generation, (long long)s->live->set->loaded_ms);
    faults_write(&s->faults, json);
    buf_adds(json, ",\"items\":[");
    for (size_t i = 0; i < s->disk->count; i++) {
        buf_adds(json, i > 0 ? "," : "");
        write_file(json, &s->disk->files[i]);
    }
    buf_adds(json, "]}");
    pthread_mutex_unlock(&s->lock);
    return true;
}

static struct script_set *disk_of(struct scripts *s) {
    pthread_mutex_lock(&s->lock);
    struct script_set *disk = script_set_retain(s->disk);
    pthread_mutex_unlock(&s->lock);
    return disk;
}

bool scripts_text(struct scripts *s, const char *path, struct buf *text) {
    struct script_set *disk = disk_of(s);
    const struct script_file *f = script_set_find(disk, path);
    if (f != NULL) {
        buf_add(text, f->text, f->len);
    }
    script_set_release(disk);
    return f != NULL;
}

bool scripts_check(struct scripts *s, const char *json, size_t len, struct buf *out,
                   struct err *err) {
    struct script_edit edit;
    if (!script_edit_parse(&edit, json, len, err)) {
        return false;
    }
    struct script_set *disk = disk_of(s);
    struct script_set *set = script_set_change(disk, edit.changes, edit.count);
    struct faults faults = {NULL, 0};
    router_free(trial_run(s->host, set, s->vm_memory, &faults));
    buf_addf(out, "{\"ok\":%s,\"diagnostics\":", faults.count == 0 ? "true" : "false");
    faults_write(&faults, out);
    buf_addc(out, '}');
    faults_clear(&faults);
    script_set_release(set);
    script_set_release(disk);
    script_edit_clear(&edit);
    return true;
}

/* A fault that the edit brought: in a file it wrote, or not there without it. */
static bool is_new_fault(const struct fault *f, const struct script_edit *edit,
                         const struct faults *before) {
    for (size_t i = 0; i < edit->count; i++) {
        if (strcmp(edit->changes[i].path, f->file) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < before->count; i++) {
        if (strcmp(before->list[i].file, f->file) == 0 &&
            strcmp(before->list[i].message, f->message) == 0) {
            return false;
        }
    }
    return true;
}

static bool brought_fault(struct scripts *s, const struct script_edit *edit,
                          const struct faults *faults) {
    for (size_t i = 0; i < faults->count; i++) {
        if (is_new_fault(&faults->list[i], edit, &s->faults)) {
            return true;
        }
    }
    return false;
}

/* Has somebody written to the directory while the trial ran? */
static bool same_on_disk(struct scripts *s, const char *hash, struct err *err) {
    struct script_set *now = script_set_read(s->dir, err);
    bool same = now != NULL && strcmp(now->hash, hash) == 0;
    if (now != NULL && !same) {
        err_set(err, ERR_CONFLICT, "the scripts changed on disk meanwhile; read them again");
    }
    script_set_release(now);
    return same;
}

/* With `publishing` held: s->disk and s->faults change under it alone. */
static bool publish(struct scripts *s, const struct script_edit *edit, struct buf *out,
                    struct err *err) {
    struct script_set *fresh = script_set_read(s->dir, err);
    if (fresh == NULL || !script_edit_match(edit, fresh, err)) {
        script_set_release(fresh);
        return false;
    }
    struct script_set *set = script_set_change(fresh, edit->changes, edit->count);
    char hash[sizeof fresh->hash];
    memcpy(hash, fresh->hash, sizeof hash);
    script_set_release(fresh);
    struct faults faults = {NULL, 0};
    struct router *router = trial_run(s->host, set, s->vm_memory, &faults);
    bool refused = brought_fault(s, edit, &faults);
    buf_addf(out, "{\"written\":%s,\"live\":%s,\"diagnostics\":", refused ? "false" : "true",
             router != NULL ? "true" : "false");
    faults_write(&faults, out);
    bool ok = refused || (same_on_disk(s, hash, err) && script_edit_write(edit, s->dir, err));
    if (!ok || refused) {
        script_set_release(set);
        router_free(router);
        faults_clear(&faults);
    } else {
        take(s, set, router, &faults);
        log_faults(s);
        changed(s);
    }
    buf_addf(out, ",\"generation\":%lld}", (long long)s->live->set->generation);
    return ok;
}

bool scripts_publish(struct scripts *s, const char *json, size_t len, struct buf *out,
                     struct err *err) {
    struct script_edit edit;
    if (!script_edit_parse(&edit, json, len, err)) {
        return false;
    }
    pthread_mutex_lock(&s->publishing);
    bool ok = publish(s, &edit, out, err);
    pthread_mutex_unlock(&s->publishing);
    script_edit_clear(&edit);
    return ok;
}
