libbelfry_la_SOURCES += \
	src/model/audit.c src/model/audit.h \
	src/model/channel.c src/model/channel.def src/model/channel.h \
	src/model/edit.c src/model/edit.h \
	src/model/generation.c src/model/generation.h \
	src/model/locale.c src/model/locale.h \
	src/model/provider_account.c src/model/provider_account.h
