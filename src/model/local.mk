libbelfry_la_SOURCES += \
	src/model/account.c src/model/account.h \
	src/model/audit.c src/model/audit.h \
	src/model/bounce_token.c src/model/bounce_token.h \
	src/model/channel.c src/model/channel.def src/model/channel.h \
	src/model/data_path.c src/model/data_path.h \
	src/model/device.c src/model/device.h \
	src/model/edit.c src/model/edit.h \
	src/model/generation.c src/model/generation.h \
	src/model/issuer_store.c src/model/issuer_store.h \
	src/model/known.c src/model/known.h \
	src/model/line_diff.c src/model/line_diff.h \
	src/model/locale.c src/model/locale.h \
	src/model/overload.c src/model/overload.h \
	src/model/person.c src/model/person.h \
	src/model/provider_account.c src/model/provider_account.h \
	src/model/provider_share.c src/model/provider_share.h \
	src/model/quiet_hours.c src/model/quiet_hours.h \
	src/model/recipient.c src/model/recipient.h \
	src/model/sms_length.c src/model/sms_length.h \
	src/model/suppression.c src/model/suppression.def \
	src/model/suppression.h \
	src/model/template.c src/model/template.h \
	src/model/template_compile.c src/model/template_compile.h \
	src/model/template_part.c src/model/template_part.def \
	src/model/template_part.h \
	src/model/template_diff.c src/model/template_diff.h \
	src/model/template_dir.c src/model/template_dir.h \
	src/model/template_draft.c src/model/template_draft.h \
	src/model/template_release.c src/model/template_release.h \
	src/model/template_render.c src/model/template_render.h \
	src/model/template_store.c src/model/template_store.h \
	src/model/template_tree.c src/model/template_tree.h \
	src/model/tenant.c src/model/tenant.h \
	src/model/tenant_deletion.c src/model/tenant_deletion.h \
	src/model/unsubscribe.c src/model/unsubscribe.h \
	src/model/webhook_attempt.c src/model/webhook_attempt.h \
	src/model/webhook_endpoint.c src/model/webhook_endpoint.h
