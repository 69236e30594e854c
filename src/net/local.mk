libbelfry_la_SOURCES += \
	src/net/cache.c src/net/cache.h
