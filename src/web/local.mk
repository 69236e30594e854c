libbelfry_la_SOURCES += \
	src/web/field.c src/web/field.h src/web/field_code.def \
	src/web/field_form.c src/web/field_form.h \
	src/web/field_read.c src/web/field_spot.h \
	src/web/field_schema.c \
	src/web/field_value.c \
	src/web/field_write.c \
	src/web/js.c src/web/js.h
