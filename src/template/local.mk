libbelfry_la_SOURCES += \
	src/template/block.c \
	src/template/call.c \
	src/template/emit.h \
	src/template/error.c src/template/error.h \
	src/template/escape.c src/template/escape.h \
	src/template/eval.c \
	src/template/expr.c \
	src/template/extra.c src/template/extra.h \
	src/template/extra_date.c \
	src/template/extra_list.c \
	src/template/extra_logic.c \
	src/template/extra_markdown.c \
	src/template/extra_number.c \
	src/template/extra_text.c \
	src/template/extras.c \
	src/template/hbs.h src/template/hbs_extras.h \
	src/template/hbs_helper.h \
	src/template/helper.c src/template/helper.h \
	src/template/icu_cache.c src/template/icu_cache.h \
	src/template/instant.c src/template/instant.h \
	src/template/lexer.c src/template/lexer.h \
	src/template/markdown_text.c src/template/markdown_text.h \
	src/template/number.c src/template/number.h \
	src/template/parser.c src/template/parser.h \
	src/template/partial.c \
	src/template/paths.c \
	src/template/render.c src/template/render.h \
	src/template/space.c src/template/space.h \
	src/template/template.c \
	src/template/tree.h \
	src/template/utf16.c src/template/utf16.h \
	src/template/value.c src/template/value.h \
	src/template/whitespace.c src/template/whitespace.h \
	src/template/write.c
EXTRA_DIST += src/template/README.md
