# Benchmarks: "make bench" builds their programs; README.md tells how to run them.
bench_tools = tests/bench/bare_http tests/bench/bare_post tests/bench/bare_smtp \
	tests/bench/hbs_speed tests/bench/http_sink tests/bench/jwt tests/bench/paced \
	tests/bench/signatures tests/bench/sink
EXTRA_PROGRAMS += $(bench_tools)
EXTRA_DIST += tests/bench/README.md tests/bench/pgbench_accept.sql \
	tests/bench/send.lua tests/bench/pgbench_receipts.sql tests/bench/hooks.lua tests/bench/hbs_speed.js tests/bench/mail.hbs \
	tests/bench/mail.json
EXTRA_DIST += tests/bench/rig.py tests/bench/measure.py
EXTRA_DIST += tests/bench/accept tests/bench/all tests/bench/attachments tests/bench/drain tests/bench/fcm \
	tests/bench/latency tests/bench/memory tests/bench/receipts tests/bench/smtp tests/bench/soak \
	tests/bench/template tests/bench/way tests/bench/webhooks
.PHONY: bench
bench: all
	$(MAKE) $(AM_MAKEFLAGS) $(bench_tools)
