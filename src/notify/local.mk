libbelfry_la_SOURCES += \
	src/notify/accept.c src/notify/accept.h \
	src/notify/attachment.c src/notify/attachment.h \
	src/notify/book.c src/notify/book.h \
	src/notify/breaker.c src/notify/breaker.h \
	src/notify/cancel.c src/notify/cancel.h \
	src/notify/choose.c src/notify/choose.h \
	src/notify/dead_letter.c src/notify/dead_letter.h \
	src/notify/decide.c src/notify/decide.h \
	src/notify/deliver.c src/notify/deliver.h \
	src/notify/explain.c src/notify/explain.h \
	src/notify/express.c src/notify/express.h \
	src/notify/fallback.c src/notify/fallback.h \
	src/notify/parcel.c src/notify/parcel.h \
	src/notify/gate.c src/notify/gate.h \
	src/notify/health.c src/notify/health.h \
	src/notify/quiet.c src/notify/quiet.h \
	src/notify/health_report.c src/notify/health_report.h \
	src/notify/receipt.c src/notify/receipt.def src/notify/receipt.h \
	src/notify/plan.c src/notify/plan.h \
	src/notify/prefix_limit.c src/notify/prefix_limit.h \
	src/notify/preview.c src/notify/preview.h \
	src/notify/privacy.c src/notify/privacy.h \
	src/notify/probe.c src/notify/probe.h \
	src/notify/route.c src/notify/route.h \
	src/notify/route_recipients.c src/notify/route_write.c \
	src/notify/sender.c src/notify/sender.h \
	src/notify/send_request.c src/notify/send_request.h \
	src/notify/reconcile.c src/notify/reconcile.h \
	src/notify/settle.c src/notify/settle.h \
	src/notify/state.c src/notify/state.def src/notify/state.h \
	src/notify/tenant_facts.c src/notify/tenant_facts.h \
	src/notify/tenant_settings.c src/notify/tenant_settings.h \
	src/notify/timeline.c src/notify/timeline.h \
	src/notify/track.c src/notify/track.h \
	src/notify/trace.c src/notify/trace.h \
	src/notify/user_question.c src/notify/user_question.h \
	src/notify/user_service.c src/notify/user_service.h \
	src/notify/variables.c src/notify/variables.h \
	src/notify/webhook_event.c src/notify/webhook_event.def \
	src/notify/webhook_event.h \
	src/notify/webhook_post.c src/notify/webhook_post.h \
	src/notify/webhook_url.c src/notify/webhook_url.h \
	src/notify/window.c src/notify/window.h \
	src/notify/work.h
