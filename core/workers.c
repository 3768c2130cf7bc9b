/* workers.c - see workers.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "wait.h"

#define IDLE_MAX 16 /* VMs kept for later calls */

struct workers {
    struct host *host;
    struct scripts *scripts;
    size_t vm_memory;
    pthread_mutex_t lock;
    struct vm *idle[IDLE_MAX];
    int idle_count;
};

struct workers *workers_new(struct host *host, struct scripts *scripts, size_t vm_memory) {
    struct workers *w = mem_alloc(sizeof *w);
    w->host = host;
    w->scripts = scripts;
    w->vm_memory = vm_memory;
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

void workers_free(struct workers *w) {
    if (w == NULL) {
        return;
    }
    while (w->idle_count > 0) {
        vm_free(w->idle[--w->idle_count]);
    }
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static struct vm *pop_idle(struct workers *w) {
    pthread_mutex_lock(&w->lock);
    struct vm *vm = w->idle_count > 0 ? w->idle[--w->idle_count] : NULL;
    pthread_mutex_unlock(&w->lock);
    return vm;
}

struct vm *workers_take(struct workers *w, struct live *live, int64_t deadline_ms,
                        struct err *err) {
    if (!wait_enter(w->host->wait, deadline_ms)) {
        err_set(err, ERR_BUSY, "all workers are busy; try again shortly");
        return NULL;
    }
    struct vm *vm;
    while ((vm = pop_idle(w)) != NULL && vm_generation(vm) != live->set->generation) {
        vm_free(vm);
    }
    if (vm == NULL) {
        vm = vm_new(w->host, live->set, w->vm_memory, err);
    }
    if (vm == NULL) {
        wait_leave(w->host->wait);
    }
    return vm;
}

void workers_put(struct workers *w, struct vm *vm) {
    bool keep = !vm_is_spent(vm) && vm_generation(vm) == scripts_generation(w->scripts);
    if (keep) {
        pthread_mutex_lock(&w->lock);
        keep = w->idle_count < IDLE_MAX;
        if (keep) {
            w->idle[w->idle_count++] = vm;
        }
        pthread_mutex_unlock(&w->lock);
    }
    if (!keep) {
        vm_free(vm);
    }
    wait_leave(w->host->wait);
}

bool workers_call(struct workers *w, const char *name, const char *arg, size_t len,
                  int64_t timeout_ms, struct buf *result, struct err *err) {
    int64_t deadline_ms = clock_ms() + timeout_ms;
    struct live *live = scripts_live(w->scripts);
    struct vm *vm = workers_take(w, live, deadline_ms, err);
    live_release(live);
    if (vm == NULL) {
        return false;
    }
    bool ok = vm_call(vm, name, arg, len, deadline_ms, result, err);
    workers_put(w, vm);
    return ok;
}
