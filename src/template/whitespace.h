/*
 * whitespace.h - what tags do to the white space around them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_WHITESPACE_H
#define BELFRY_TEMPLATE_WHITESPACE_H

#include <stdbool.h>

struct program;

/*
 * Applies "~" and, unless keep_lines is set, the rule of tags that stand alone
 * on their line: such a line leaves no trace in the output.  Then comments and
 * empty texts are taken out of the tree and inline partials moved to their
 * program's list.
 */
void whitespace_control(struct program *root, bool keep_lines);

#endif
