EXTRA_DIST +=
EXTRA_DIST += doc/api.md doc/operating.md
