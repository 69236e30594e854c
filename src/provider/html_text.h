/*
 * html_text.h - plain text made from HTML
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For the text part of a mail whose template has only HTML.  Blocks become
 * lines, links "text <address>", list items "* " or a number, cells of a table
 * row stand two spaces apart; styles, scripts and what is not displayed are left out;
 * words are wrapped at 76 characters.  Any bytes are taken: what is not HTML
 * comes out as text.
 */
#ifndef BELFRY_PROVIDER_HTML_TEXT_H
#define BELFRY_PROVIDER_HTML_TEXT_H

#include <stddef.h>

struct buf;

/* Appends the text of the HTML to "out", lines ending in LF.  The time is
 * linear in len.  What does not fit into "out" marks it as overflowed. */
void html_text(struct buf *out, const char *html, size_t len);

#endif
