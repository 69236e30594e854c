libbelfry_la_SOURCES += \
	src/base/arena.c src/base/arena.h \
	src/base/buf.c src/base/buf.h \
	src/base/compiler.h \
	src/base/ensure.c src/base/ensure.h \
	src/base/err.c src/base/err.def src/base/err.h
