/*
 * command.h - every command of belfryctl
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each returns 0, or -1 with *e set.  command.c has the table that calls them.
 */
#ifndef BELFRY_CTL_COMMAND_H
#define BELFRY_CTL_COMMAND_H

struct ctl;
struct err;
struct grammar;

extern const struct grammar ctl_grammar;

int command_audit_export(struct ctl *c, struct err *e);
int command_audit_list(struct ctl *c, struct err *e);
int command_audit_verify(struct ctl *c, struct err *e);
int command_bounce(struct ctl *c, struct err *e);
int command_cancel(struct ctl *c, struct err *e);
int command_check_config(struct ctl *c, struct err *e);
int command_config(struct ctl *c, struct err *e);
int command_dead_discard(struct ctl *c, struct err *e);
int command_dead_list(struct ctl *c, struct err *e);
int command_dead_replay(struct ctl *c, struct err *e);
int command_doctor(struct ctl *c, struct err *e);
int command_explain(struct ctl *c, struct err *e);
int command_help(struct ctl *c, struct err *e);
int command_init(struct ctl *c, struct err *e);
int command_key_add(struct ctl *c, struct err *e);
int command_key_list(struct ctl *c, struct err *e);
int command_key_revoke(struct ctl *c, struct err *e);
int command_key_rotate(struct ctl *c, struct err *e);
int command_keys_add(struct ctl *c, struct err *e);
int command_keys_rotate(struct ctl *c, struct err *e);
int command_keys_status(struct ctl *c, struct err *e);
int command_keys_use(struct ctl *c, struct err *e);
int command_migrate(struct ctl *c, struct err *e);
int command_privacy_erase(struct ctl *c, struct err *e);
int command_privacy_export(struct ctl *c, struct err *e);
int command_privacy_hold(struct ctl *c, struct err *e);
int command_privacy_holds(struct ctl *c, struct err *e);
int command_privacy_release(struct ctl *c, struct err *e);
int command_provider_add(struct ctl *c, struct err *e);
int command_provider_disable(struct ctl *c, struct err *e);
int command_provider_enable(struct ctl *c, struct err *e);
int command_provider_kinds(struct ctl *c, struct err *e);
int command_provider_list(struct ctl *c, struct err *e);
int command_provider_remove(struct ctl *c, struct err *e);
int command_provider_set(struct ctl *c, struct err *e);
int command_provider_share(struct ctl *c, struct err *e);
int command_provider_shares(struct ctl *c, struct err *e);
int command_provider_unshare(struct ctl *c, struct err *e);
int command_provider_show(struct ctl *c, struct err *e);
int command_provider_test(struct ctl *c, struct err *e);
int command_provider_dkim_record(struct ctl *c, struct err *e);
int command_queue(struct ctl *c, struct err *e);
int command_receipt(struct ctl *c, struct err *e);
int command_reconcile(struct ctl *c, struct err *e);
int command_seed(struct ctl *c, struct err *e);
int command_send(struct ctl *c, struct err *e);
int command_show(struct ctl *c, struct err *e);
int command_spooler_drain(struct ctl *c, struct err *e);
int command_spooler_hold(struct ctl *c, struct err *e);
int command_spooler_release(struct ctl *c, struct err *e);
int command_spooler_status(struct ctl *c, struct err *e);
int command_spooler_undrain(struct ctl *c, struct err *e);
int command_suppression_add(struct ctl *c, struct err *e);
int command_suppression_list(struct ctl *c, struct err *e);
int command_suppression_remove(struct ctl *c, struct err *e);
int command_template_defaults(struct ctl *c, struct err *e);
int command_template_diff(struct ctl *c, struct err *e);
int command_template_eval(struct ctl *c, struct err *e);
int command_template_lint(struct ctl *c, struct err *e);
int command_template_list(struct ctl *c, struct err *e);
int command_template_preview(struct ctl *c, struct err *e);
int command_template_publish(struct ctl *c, struct err *e);
int command_template_pull(struct ctl *c, struct err *e);
int command_template_push(struct ctl *c, struct err *e);
int command_template_render(struct ctl *c, struct err *e);
int command_template_rollback(struct ctl *c, struct err *e);
int command_template_test(struct ctl *c, struct err *e);
int command_template_versions(struct ctl *c, struct err *e);
int command_tenant_add(struct ctl *c, struct err *e);
int command_tenant_list(struct ctl *c, struct err *e);
int command_tenant_quiet_hours(struct ctl *c, struct err *e);
int command_tenant_set(struct ctl *c, struct err *e);
int command_tenant_resume(struct ctl *c, struct err *e);
int command_tenant_show(struct ctl *c, struct err *e);
int command_tenant_suspend(struct ctl *c, struct err *e);
int command_tenant_remove(struct ctl *c, struct err *e);
int command_top(struct ctl *c, struct err *e);
int command_webhook_add(struct ctl *c, struct err *e);
int command_webhook_attempts(struct ctl *c, struct err *e);
int command_webhook_disable(struct ctl *c, struct err *e);
int command_webhook_enable(struct ctl *c, struct err *e);
int command_webhook_list(struct ctl *c, struct err *e);
int command_webhook_ping(struct ctl *c, struct err *e);
int command_webhook_redeliver(struct ctl *c, struct err *e);
int command_webhook_remove(struct ctl *c, struct err *e);
int command_webhook_rotate(struct ctl *c, struct err *e);
int command_webhook_set(struct ctl *c, struct err *e);

#endif
