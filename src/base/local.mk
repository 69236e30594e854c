libbelfry_la_SOURCES += \
	src/base/arena.c src/base/arena.h \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/compiler.h \
	src/base/config.c src/base/config.def src/base/config.h \
	src/base/config_check.c src/base/config_check.h \
	src/base/config_dump.c \
	src/base/config_issuer.c src/base/config_issuer.def \
	src/base/config_issuer.h \
	src/base/config_list.c src/base/config_list.h \
	src/base/config_override.c \
	src/base/config_value.c src/base/config_value.h \
	src/base/crash_point.c src/base/crash_point.def \
	src/base/crash_point.h \
	src/base/crew.c src/base/crew.h \
	src/base/ensure.c src/base/ensure.h \
	src/base/err.c src/base/err.def src/base/err.h \
	src/base/heap.c src/base/heap.h \
	src/base/hmac.c src/base/hmac.h \
	src/base/id.h \
	src/base/keyring.c src/base/keyring.h \
	src/base/link.c src/base/link.h \
	src/base/listen.c src/base/listen.h \
	src/base/log.c src/base/log.h \
	src/base/metrics.c src/base/metrics.def src/base/metrics.h \
	src/base/master.c src/base/master.h \
	src/base/network.c src/base/network.h \
	src/base/pidfile.c src/base/pidfile.h \
	src/base/path.c src/base/path.h \
	src/base/process.c src/base/process.h \
	src/base/renew.c src/base/renew.h \
	src/base/service.c src/base/service.h \
	src/base/seal.c src/base/seal.h \
	src/base/secret_file.c src/base/secret_file.h \
	src/base/text.c src/base/text.h \
	src/base/uuid.c src/base/uuid.h \
	src/base/wipe.c src/base/wipe.h \
	src/base/worker.c src/base/worker.h

# The list of keys in belfry.conf(5) and belfry.conf.sample comes from the table.
noinst_PROGRAMS += src/base/config-doc
src_base_config_doc_SOURCES = src/base/config_doc.c
src_base_config_doc_LDADD = libbelfry.la
man_MANS += src/base/belfry.conf.5
EXTRA_DIST += src/base/belfry.conf.5.in
CLEANFILES += src/base/belfry.conf.5

src/base/belfry.conf.5: src/base/belfry.conf.5.in src/base/config-doc$(EXEEXT)
	$(AM_V_GEN)$(CONFIG_DOC) mdoc >$@.keys && \
	sed -e '/^@KEYS@$$/{' -e 'r $@.keys' -e 'd' -e '}' \
	    -e 's|@SYSCONFDIR@|$(sysconfdir)|g' \
	    $(srcdir)/src/base/belfry.conf.5.in >$@.new && \
	rm -f $@.keys && mv $@.new $@

# The leak check of a sanitizer fails where a process may not be traced.
CONFIG_DOC = ASAN_OPTIONS=detect_leaks=0 src/base/config-doc$(EXEEXT)
