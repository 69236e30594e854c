libbelfry_la_SOURCES += \
	src/net/ca_file.c src/net/ca_file.h \
	src/net/cache.c src/net/cache.h \
	src/net/cache_trusted.c src/net/cache_trusted.h \
	src/net/doorbell.c src/net/doorbell.h \
	src/net/guard.c src/net/guard.h \
	src/net/fetch.c src/net/fetch.h
EXTRA_DIST += src/net/README.md
libbelfry_la_SOURCES += \
	src/net/retry_after.c src/net/retry_after.h \
	src/net/smtp_login.c src/net/smtp_login.h \
	src/net/smtp_reply.c src/net/smtp_reply.h \
	src/net/smtp_session.c src/net/smtp_session.h \
	src/net/tickets.c src/net/tickets.h \
	src/net/transfer.c src/net/transfer.h \
	src/net/transfer_body.c \
	src/net/transfer_http.c src/net/transfer_private.h \
	src/net/transfer_pretend.c \
	src/net/transfer_smtp.c
