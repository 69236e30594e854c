libbelfry_la_SOURCES += \
	src/auth/apikey.c src/auth/apikey.h \
	src/auth/client_credentials.c src/auth/client_credentials.h \
	src/auth/issuer.c src/auth/issuer.h src/auth/role.def \
	src/auth/jwks.c src/auth/jwks.h \
	src/auth/jwt.c src/auth/jwt.h \
	src/auth/keyset.c src/auth/keyset.h \
	src/auth/keyset_store.c src/auth/keyset_store.h \
	src/auth/principal.c src/auth/principal.h \
	src/auth/proven.c src/auth/proven.h \
	src/auth/signing.c src/auth/signing.h \
	src/auth/scope.c src/auth/scope.def src/auth/scope.h
