/*
 * smtp_judge.h - what the answer of a mail server means
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_SMTP_JUDGE_H
#define BELFRY_PROVIDER_SMTP_JUDGE_H

struct transfer_result;
struct verdict;

/* Judges the result of an SMTP transfer.  Pure: the same result always gives the
 * same verdict.  A reply that no rule names is judged by its first digit. */
void smtp_judge(const struct transfer_result *res, struct verdict *v_r);

#endif
