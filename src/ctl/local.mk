bin_PROGRAMS += belfryctl
belfryctl_SOURCES = src/ctl/belfryctl.c

libbelfry_la_SOURCES += \
	src/ctl/bounce.c \
	src/ctl/cancel.c \
	src/ctl/choice.c src/ctl/choice.h \
	src/ctl/audit.c \
	src/ctl/author.c src/ctl/author.h \
	src/ctl/author_render.c \
	src/ctl/command.c src/ctl/command.h \
	src/ctl/config.c \
	src/ctl/ctl.c src/ctl/ctl.h \
	src/ctl/dead.c \
	src/ctl/defaults.c \
	src/ctl/doctor.c src/ctl/doctor.h \
	src/ctl/doctor_database.c \
	src/ctl/doctor_tenants.c \
	src/ctl/eval.c \
	src/ctl/exit.def \
	src/ctl/explain.c \
	src/ctl/grammar.c src/ctl/grammar.h \
	src/ctl/help.c src/ctl/help.h \
	src/ctl/init.c \
	src/ctl/key.c src/ctl/key.h \
	src/ctl/keys.c \
	src/ctl/lint.c \
	src/ctl/manual.c \
	src/ctl/migrate.c \
	src/ctl/number.c src/ctl/number.h \
	src/ctl/out.c src/ctl/out.h \
	src/ctl/privacy.c \
	src/ctl/preview.c \
	src/ctl/provider.c \
	src/ctl/provider_dkim.c \
	src/ctl/provider_share.c \
	src/ctl/provider_test.c \
	src/ctl/push.c src/ctl/push.h \
	src/ctl/queue.c src/ctl/queue.h \
	src/ctl/receipt.c \
	src/ctl/reconcile.c \
	src/ctl/seed.c \
	src/ctl/send.c \
	src/ctl/setting.c src/ctl/setting.h \
	src/ctl/show.c src/ctl/show.h \
	src/ctl/show_preview.c src/ctl/show_preview.h \
	src/ctl/spooler.c src/ctl/spooler.h \
	src/ctl/suppression.c \
	src/ctl/table.c src/ctl/table.h \
	src/ctl/template.c \
	src/ctl/tenant.c \
	src/ctl/top.c \
	src/ctl/webhook.c

# The manual page is written by the program from its own tables.
man8_MANS = belfryctl.8
CLEANFILES += belfryctl.8

belfryctl.8: belfryctl$(EXEEXT)
	$(AM_V_GEN)./belfryctl$(EXEEXT) help --mdoc >$@.new && mv $@.new $@
