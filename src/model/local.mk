libbelfry_la_SOURCES += \
	src/model/channel.c src/model/channel.def src/model/channel.h \
	src/model/generation.c src/model/generation.h
