libbelfry_la_SOURCES +=
