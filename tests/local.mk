# Unit tests: tests/unit/test_NAME.c, one line each.  Their TAP comes from
# cmocka; run-cmocka mends its way of writing skipped tests.
TESTS = $(check_PROGRAMS)
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/unit/run-cmocka
EXTRA_DIST += tests/unit/run-cmocka
AM_TESTS_ENVIRONMENT = BELFRY_SRCDIR='$(abs_top_srcdir)' \
	BELFRY_BUILDDIR='$(abs_top_builddir)'; \
	export BELFRY_SRCDIR BELFRY_BUILDDIR;

if HAVE_CMOCKA
LDADD += $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_apikey
check_PROGRAMS += tests/unit/test_arena
check_PROGRAMS += tests/unit/test_buf
check_PROGRAMS += tests/unit/test_breaker
check_PROGRAMS += tests/unit/test_cache
check_PROGRAMS += tests/unit/test_choose
check_PROGRAMS += tests/unit/test_data_path
check_PROGRAMS += tests/unit/test_decide
check_PROGRAMS += tests/unit/test_overload
check_PROGRAMS += tests/unit/test_parcel
check_PROGRAMS += tests/unit/test_heap
check_PROGRAMS += tests/unit/test_keys
tests_unit_test_keys_SOURCES = tests/unit/test_keys.c src/spooler/keys.c \
	src/spooler/share.c src/spooler/turn.c
check_PROGRAMS += tests/unit/test_turn
tests_unit_test_turn_SOURCES = tests/unit/test_turn.c src/spooler/turn.c
check_PROGRAMS += tests/unit/test_model
check_PROGRAMS += tests/unit/test_quiet_hours
check_PROGRAMS += tests/unit/test_doorbell
check_PROGRAMS += tests/unit/test_tickets
check_PROGRAMS += tests/unit/test_gate
check_PROGRAMS += tests/unit/test_grammar
check_PROGRAMS += tests/unit/test_line_diff
check_PROGRAMS += tests/unit/test_locale
check_PROGRAMS += tests/unit/test_setting
check_PROGRAMS += tests/unit/test_state
check_PROGRAMS += tests/unit/test_extras
check_PROGRAMS += tests/unit/test_extras_bounds
check_PROGRAMS += tests/unit/test_extras_doc
EXTRA_DIST += tests/unit/render_case.h
check_PROGRAMS += tests/unit/test_field
check_PROGRAMS += tests/unit/test_js
check_PROGRAMS += tests/unit/test_jwks
check_PROGRAMS += tests/unit/test_jwt
check_PROGRAMS += tests/unit/test_jwt_forged
check_PROGRAMS += tests/unit/test_network
EXTRA_DIST += tests/unit/token_maker.h
check_PROGRAMS += tests/unit/test_keyset
check_PROGRAMS += tests/unit/test_known
check_PROGRAMS += tests/unit/test_known_answers
tests_unit_test_known_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=db_run \
	-Wl,--wrap=cache_get -Wl,--wrap=cache_set
check_PROGRAMS += tests/unit/test_problem
check_PROGRAMS += tests/unit/test_proven
tests_unit_test_proven_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=metrics_add
check_PROGRAMS += tests/unit/test_rate_limit
tests_unit_test_rate_limit_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=cache_count \
	-Wl,--wrap=cache_uncount -Wl,--wrap=cache_set
check_PROGRAMS += tests/unit/test_request
check_PROGRAMS += tests/unit/test_router
check_PROGRAMS += tests/unit/test_serve
check_PROGRAMS += tests/unit/test_sms_length
check_PROGRAMS += tests/unit/test_template
check_PROGRAMS += tests/unit/test_template_render
check_PROGRAMS += tests/unit/test_template_draft
check_PROGRAMS += tests/unit/test_url
check_PROGRAMS += tests/unit/test_users
tests_unit_test_users_SOURCES = tests/unit/test_users.c src/spooler/users.c
tests_unit_test_users_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=cache_get \
	-Wl,--wrap=cache_set
EXTRA_DIST += tests/unit/fake_fcgi.h
check_PROGRAMS += tests/unit/test_clock
check_PROGRAMS += tests/unit/test_config
check_PROGRAMS += tests/unit/test_conn
check_PROGRAMS += tests/unit/test_html_text
check_PROGRAMS += tests/unit/test_answers
check_PROGRAMS += tests/unit/test_hook_events
check_PROGRAMS += tests/unit/test_hooks
check_PROGRAMS += tests/unit/test_http_providers
EXTRA_DIST += tests/unit/settings_of.h tests/unit/rsa_keys.h \
	tests/unit/known_answers.def
check_PROGRAMS += tests/unit/test_json_providers
check_PROGRAMS += tests/unit/test_link
check_PROGRAMS += tests/unit/test_listen
check_PROGRAMS += tests/unit/test_log
check_PROGRAMS += tests/unit/test_mail_address
check_PROGRAMS += tests/unit/test_mail_providers
check_PROGRAMS += tests/unit/test_mime
check_PROGRAMS += tests/unit/test_metrics
check_PROGRAMS += tests/unit/test_master
check_PROGRAMS += tests/unit/test_retry_after
check_PROGRAMS += tests/unit/test_seal
check_PROGRAMS += tests/unit/test_process
check_PROGRAMS += tests/unit/test_service
check_PROGRAMS += tests/unit/test_smtp_judge
check_PROGRAMS += tests/unit/test_smtp_login
check_PROGRAMS += tests/unit/test_smtp_reply
check_PROGRAMS += tests/unit/test_tenant_settings
check_PROGRAMS += tests/unit/test_text
check_PROGRAMS += tests/unit/test_uuid
check_PROGRAMS += tests/unit/test_hbs
check_PROGRAMS += tests/unit/test_webhooks
check_PROGRAMS += tests/unit/test_week
check_PROGRAMS += tests/unit/test_wipe
check_PROGRAMS += tests/unit/test_window
check_PROGRAMS += tests/unit/test_worker
endif

# Fuzzing: as a test each program runs over its corpus.
check_PROGRAMS += tests/fuzz/fuzz_bounce
EXTRA_DIST += $(wildcard $(srcdir)/tests/fuzz/corpus/bounce/*)
check_PROGRAMS += tests/fuzz/fuzz_hbs
EXTRA_DIST += $(wildcard $(srcdir)/tests/fuzz/corpus/hbs/*)
check_PROGRAMS += tests/fuzz/fuzz_jwt
EXTRA_DIST += $(wildcard $(srcdir)/tests/fuzz/corpus/jwt/*)
check_PROGRAMS += tests/fuzz/fuzz_request
EXTRA_DIST += tests/fuzz/replay.h \
	$(wildcard $(srcdir)/tests/fuzz/corpus/request/*)

# Programs that the integration tests run: built by "make check", not tests.
EXTRA_PROGRAMS += tests/tools/mimedump
check_DATA += tests/tools/mimedump
EXTRA_PROGRAMS += tests/tools/transfers
check_DATA += tests/tools/transfers
# Run by hand, over a file that is not ours.
EXTRA_PROGRAMS += tests/tools/wycheproof
check_DATA += tests/tools/wycheproof

# Tests in Python: contrib/check runs them.
EXTRA_DIST += tests/pytest.ini tests/conftest.py $(wildcard $(srcdir)/tests/lint/*.py)
EXTRA_DIST += $(wildcard $(srcdir)/tests/harness/*.py $(srcdir)/tests/harness/*.js)
EXTRA_DIST += $(wildcard $(srcdir)/tests/integration/*.py)
EXTRA_DIST += $(wildcard $(srcdir)/tests/integration/schemas/*.json)
EXTRA_DIST += $(wildcard $(srcdir)/tests/fault/*.py) tests/fault/run
EXTRA_DIST += tests/tools/resolver.c $(wildcard $(srcdir)/doc/*.md)
EXTRA_DIST += $(wildcard $(srcdir)/tests/harness/*.mjs)
EXTRA_DIST += $(wildcard $(srcdir)/tests/harness/*.py) tests/harness/google.js \
	tests/harness/browser.js
EXTRA_DIST += $(wildcard $(srcdir)/tests/integration/*.py)
EXTRA_DIST += $(wildcard $(srcdir)/tests/fault/*.py) tests/fault/run
EXTRA_DIST += doc/api.md doc/errors.md doc/metrics.md doc/operating.md doc/providers.md
EXTRA_DIST += contrib/keycloak/README.md contrib/keycloak/belfry-realm.json
EXTRA_DIST += $(wildcard $(srcdir)/tests/fault/full/*.py) tests/fault/full/run \
	tests/fault/full/README.md
EXTRA_DIST += doc/api.md doc/errors.md doc/metrics.md doc/operating.md doc/providers.md
EXTRA_DIST += contrib/check contrib/packages contrib/quickstart contrib/stack.sh
