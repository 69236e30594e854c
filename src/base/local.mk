libbelfry_la_SOURCES += \
	src/base/arena.c src/base/arena.h \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/compiler.h \
	src/base/config.c src/base/config.def src/base/config.h \
	src/base/config_check.c src/base/config_check.h \
	src/base/config_dump.c \
	src/base/config_value.c src/base/config_value.h \
	src/base/ensure.c src/base/ensure.h \
	src/base/err.c src/base/err.def src/base/err.h \
	src/base/id.h \
	src/base/keyring.c src/base/keyring.h \
	src/base/listen.c src/base/listen.h \
	src/base/log.c src/base/log.h \
	src/base/metrics.c src/base/metrics.def src/base/metrics.h \
	src/base/master.c src/base/master.h \
	src/base/pidfile.c src/base/pidfile.h \
	src/base/process.c src/base/process.h \
	src/base/service.c src/base/service.h \
	src/base/seal.c src/base/seal.h \
	src/base/text.c src/base/text.h \
	src/base/uuid.c src/base/uuid.h \
	src/base/worker.c src/base/worker.h
