-- 0028_unsubscribe: whose mails carry a link that ends them.

ALTER TABLE template_version
    ADD COLUMN unsubscribe boolean NOT NULL DEFAULT false; -- List-Unsubscribe (RFC 8058)
