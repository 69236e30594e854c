sbin_PROGRAMS += belfry-spooler
belfry_spooler_SOURCES = \
	src/spooler/claim.c src/spooler/claim.h src/spooler/claim_hold.c \
	src/spooler/door.c \
	src/spooler/eraser.c \
	src/spooler/express.c \
	src/spooler/crash.c src/spooler/crash.h \
	src/spooler/flight.c \
	src/spooler/gauges.c \
	src/spooler/hooks.c \
	src/spooler/house.c \
	src/spooler/holders.c \
	src/spooler/keys.c src/spooler/keys.h \
	src/spooler/later.c \
	src/spooler/lease.c \
	src/spooler/loop.c \
	src/spooler/main.c \
	src/spooler/pack.c src/spooler/pack.h \
	src/spooler/park.c \
	src/spooler/reconcile.c \
	src/spooler/retention.c \
	src/spooler/said.c src/spooler/said.h \
	src/spooler/settler.c \
	src/spooler/share.c src/spooler/share.h \
	src/spooler/spooler.h \
	src/spooler/tally.c \
	src/spooler/tokens.c src/spooler/tokens.h \
	src/spooler/turn.c src/spooler/turn.h \
	src/spooler/upload.c src/spooler/upload.h \
	src/spooler/users.c src/spooler/users.h src/spooler/users_private.h \
	src/spooler/users_fetch.c \
	src/spooler/users_token.c \
	src/spooler/webhook_outcomes.c \
	src/spooler/webhooks.c src/spooler/webhooks.h
belfry_spooler_LDADD = libbelfry.la
EXTRA_DIST += src/spooler/README.md
dist_man_MANS += src/spooler/belfry-spooler.8
