/* process.h - the type name of a Process: other bindings take one by box_test, as struct proc.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_BIND_PROCESS_H
#define GANDER_BIND_PROCESS_H

#define TYPE_PROCESS "gander.Process"

#endif
