libbelfry_la_SOURCES += \
	src/auth/apikey.c src/auth/apikey.h \
	src/auth/jwks.c src/auth/jwks.h \
	src/auth/jwt.c src/auth/jwt.h \
	src/auth/principal.c src/auth/principal.h \
	src/auth/scope.c src/auth/scope.def src/auth/scope.h
