/* cli.h - the command line: serve, check, test, repl, version, --help.
 *
 * Exit status: 0 well, 1 failed, 2 misuse.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_CLI_H
#define GANDER_CLI_H

#include "config.h"
#include "host.h"

int cli_main(int argc, char **argv);

/* serve.c: run the host until SIGINT or SIGTERM. */
int serve(const char *home, const struct config *config);

/* program.c.  Fill what every program needs: configuration, version, engines without threads. */
void host_init(struct host *host, const char *home, const struct config *config);
/* The sealing key: GANDER_KEY (64 hex digits) or <data>/key, made at the first start. */
bool host_key(struct host *host, struct err *err);

#endif
