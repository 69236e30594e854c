libbelfry_la_SOURCES += \
	src/db/batch.c src/db/batch.h \
	src/db/conn.c src/db/conn.h \
	src/db/conninfo.c src/db/conninfo.h \
	src/db/db.c src/db/db.h \
	src/db/durability.c src/db/durability.h \
	src/db/migrate.c src/db/migrate.h \
	src/db/pool.c src/db/pool.h \
	src/db/query.c src/db/query.h \
	src/db/rows.c src/db/rows.h \
	src/db/script.c src/db/script.h \
	src/db/week.c src/db/week.h

SQL_QUERIES = $(sort $(wildcard $(top_srcdir)/sql/queries/*.sql))
SQL_MIGRATIONS = $(sort $(wildcard $(top_srcdir)/sql/migrations/*.sql))
SQL_SCRIPT_FILES = $(sort $(wildcard $(top_srcdir)/sql/scripts/*.sql))
SQL_TABLES = src/db/queries.inc src/db/migrations.inc src/db/scripts.inc
BUILT_SOURCES += $(SQL_TABLES)
CLEANFILES += $(SQL_TABLES)
EXTRA_DIST += sql/compile sql/queries sql/migrations sql/scripts

AM_CPPFLAGS += -I$(top_builddir)/src

src/db/queries.inc: $(top_srcdir)/sql/compile $(SQL_QUERIES)
	$(AM_V_GEN)$(PYTHON3) $(top_srcdir)/sql/compile queries $@ $(SQL_QUERIES)

src/db/migrations.inc: $(top_srcdir)/sql/compile $(SQL_MIGRATIONS)
	$(AM_V_GEN)$(PYTHON3) $(top_srcdir)/sql/compile migrations $@ $(SQL_MIGRATIONS)

src/db/scripts.inc: $(top_srcdir)/sql/compile $(SQL_SCRIPT_FILES)
	$(AM_V_GEN)$(PYTHON3) $(top_srcdir)/sql/compile scripts $@ $(SQL_SCRIPT_FILES)
