EXTRA_DIST += src/web/README.md
libbelfry_la_SOURCES += \
	src/web/cors.c src/web/cors.h \
	src/web/field.c src/web/field.h src/web/field_code.def \
	src/web/field_form.c src/web/field_form.h \
	src/web/field_read.c src/web/field_spot.h \
	src/web/field_schema.c \
	src/web/field_value.c \
	src/web/field_write.c \
	src/web/form.c src/web/form.h \
	src/web/http.c src/web/http.def src/web/http.h \
	src/web/js.c src/web/js.h \
	src/web/js_read.c src/web/js_read.h \
	src/web/openapi.c src/web/openapi.h \
	src/web/problem.c src/web/problem.h \
	src/web/rate_limit.c src/web/rate_limit.h \
	src/web/request.c src/web/request.h \
	src/web/response.c src/web/response.h \
	src/web/router.c src/web/router.h \
	src/web/serve.c src/web/serve.h \
	src/web/url.c src/web/url.h
