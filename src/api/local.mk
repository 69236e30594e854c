sbin_PROGRAMS += belfry-api
belfry_api_SOURCES = \
	src/api/app.c src/api/app.h \
	src/api/audit.c src/api/audit.h \
	src/api/authenticate.c src/api/authenticate.h \
	src/api/authenticate_key.c \
	src/api/authenticate_token.c \
	src/api/cancel.c src/api/cancel.h \
	src/api/dead_letters.c src/api/dead_letters.h \
	src/api/devices.c src/api/devices.h \
	src/api/health.c \
	src/api/issuers.c src/api/issuers.h \
	src/api/last_used.c src/api/last_used.h \
	src/api/hook_shares.c src/api/hook_shares.h \
	src/api/hooks.c src/api/hooks.h \
	src/api/limits.c src/api/limits.h \
	src/api/inbox.c src/api/inbox.h \
	src/api/links.c src/api/links.h \
	src/api/main.c \
	src/api/metrics.c \
	src/api/notifications.c src/api/notifications.h \
	src/api/oauth.c src/api/oauth.h \
	src/api/once.c src/api/once.h \
	src/api/openapi.c \
	src/api/raw_bodies.c src/api/raw_bodies.h \
	src/api/origins.c src/api/origins.h \
	src/api/page.c src/api/page.h \
	src/api/privacy.c src/api/privacy.h \
	src/api/provider_shares.c src/api/provider_shares.h \
	src/api/provider_test.c src/api/provider_test.h \
	src/api/providers.c src/api/providers.h \
	src/api/queue.c src/api/queue.h \
	src/api/recipients.c src/api/recipients.h \
	src/api/routes.c src/api/routes.h \
	src/api/suppressions.c src/api/suppressions.h \
	src/api/service_accounts.c src/api/service_accounts.h \
	src/api/system.h \
	src/api/template_preview.c src/api/template_preview.h \
	src/api/template_versions.c src/api/template_versions.h \
	src/api/templates.c src/api/templates.h \
	src/api/tenants.c src/api/tenants.h \
	src/api/unsubscribe.c src/api/unsubscribe.h \
	src/api/unsubscribe_page.c src/api/unsubscribe_page.h \
	src/api/webhook_attempts.c src/api/webhook_attempts.h \
	src/api/webhooks.c src/api/webhooks.h \
	src/api/worker.c src/api/worker.h

# Pages are compiled in.
API_PAGES = \
	$(top_srcdir)/src/api/pages/unsubscribe.html.hbs \
	$(top_srcdir)/src/api/pages/unsubscribe.de.json \
	$(top_srcdir)/src/api/pages/unsubscribe.en.json
BUILT_SOURCES += src/api/pages.inc
CLEANFILES += src/api/pages.inc
EXTRA_DIST += src/api/pages

src/api/pages.inc: $(top_srcdir)/src/api/pages/compile $(API_PAGES)
	$(AM_V_GEN)$(PYTHON3) $(top_srcdir)/src/api/pages/compile $@ $(API_PAGES)

dist_man_MANS += src/api/belfry-api.8
