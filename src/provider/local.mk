libbelfry_la_SOURCES += \
	src/provider/whatsapp.c src/provider/whatsapp.def src/provider/whatsapp.h \
	src/provider/simulator.c src/provider/simulator.def src/provider/simulator.h \
	src/provider/whatsapp_hook.c \
	src/provider/whatsapp_media.c src/provider/whatsapp_media.h \
	src/provider/whatsapp_message.c src/provider/whatsapp_message.h \
	src/provider/multipart.c src/provider/multipart.h \
	src/provider/ntfy.c src/provider/ntfy.def src/provider/ntfy.h \
	src/provider/slack.c src/provider/slack.def src/provider/slack.h \
	src/provider/teams.c src/provider/teams.def src/provider/teams.h \
	src/provider/telegram.c src/provider/telegram.def src/provider/telegram.h \
	src/provider/telegram_files.c src/provider/telegram_files.h \
	src/provider/webpush.c src/provider/webpush.def src/provider/webpush.h \
	src/provider/webpush_encrypt.c src/provider/webpush_encrypt.h \
	src/provider/webpush_subscription.c \
	src/provider/webpush_subscription.h \
	src/provider/webpush_vapid.c src/provider/webpush_vapid.h \
	src/provider/bounce.c src/provider/bounce.h \
	src/provider/dkim.c src/provider/dkim.h \
	src/provider/fcm.c src/provider/fcm.def src/provider/fcm.h \
	src/provider/fcm_hook.c \
	src/provider/google_token.c src/provider/google_token.h \
	src/provider/hook.c src/provider/hook.def src/provider/hook.h \
	src/provider/html_entity.c src/provider/html_entity.def \
	src/provider/html_entity.h \
	src/provider/html_tag.c src/provider/html_tag.h \
	src/provider/html_text.c src/provider/html_text.h \
	src/provider/http_json.c src/provider/http_json.h \
	src/provider/http_judge.c src/provider/http_judge.h \
	src/provider/identity.c src/provider/identity.h \
	src/provider/inapp.c src/provider/inapp.h \
	src/provider/jwt_sign.c src/provider/jwt_sign.h \
	src/provider/limits.c src/provider/limits.h \
	src/provider/mail_address.c src/provider/mail_address.h \
	src/provider/mail_message.c src/provider/mail_message.h \
	src/provider/maildir.c src/provider/maildir.h \
	src/provider/mime.c src/provider/mime.h \
	src/provider/mime_body.c src/provider/mime_body.h \
	src/provider/mime_check.c src/provider/mime_check.h \
	src/provider/mime_header.c src/provider/mime_header.h \
	src/provider/opt_word.c src/provider/opt_word.h \
	src/provider/provider.c src/provider/provider.h \
	src/provider/push_message.c src/provider/push_message.h \
	src/provider/sendgrid.c src/provider/sendgrid.def \
	src/provider/sendgrid.h src/provider/sendgrid_hook.c \
	src/provider/settings.c src/provider/settings.h \
	src/provider/share.c src/provider/share.h \
	src/provider/smtp.c src/provider/smtp.def src/provider/smtp.h \
	src/provider/smtp_judge.c src/provider/smtp_judge.h \
	src/provider/text_flow.c src/provider/text_flow.h \
	src/provider/twilio.c src/provider/twilio.def \
	src/provider/twilio.h src/provider/twilio_hook.c \
	src/provider/verdict.def src/provider/verdict.h \
	src/provider/webhook.c src/provider/webhook.def src/provider/webhook.h \
	src/provider/webhook_sign.c src/provider/webhook_sign.h
