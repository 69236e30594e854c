/*
 * markdown_text.h - Markdown as plain text that reads well
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_MARKDOWN_TEXT_H
#define BELFRY_TEMPLATE_MARKDOWN_TEXT_H

#include <cmark.h>

struct buf;

/* Adds the document: an empty line between paragraphs, "- " and "1. " before
 * the entries of lists, "> " before quotes, "text (address)" for links. */
void markdown_text(struct buf *out, cmark_node *root);

#endif
