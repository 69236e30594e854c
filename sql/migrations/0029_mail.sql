-- 0029_mail: who mails are from.

ALTER TABLE template_version
    ADD COLUMN sender text; -- an address that the account may send as; NULL: its own
