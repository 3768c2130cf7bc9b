/* main.c - start: the command line decides which of the host's programs runs (cli.c).
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli.h"

int main(int argc, char **argv) {
    return cli_main(argc, argv);
}
