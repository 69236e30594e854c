libbelfry_la_SOURCES += \
	src/provider/provider.c src/provider/provider.h \
	src/provider/verdict.def src/provider/verdict.h
