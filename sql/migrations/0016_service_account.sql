-- 0016_service_account: from where an account may come, and when its keys were used.

ALTER TABLE service_account
    ADD COLUMN networks text NOT NULL DEFAULT ''; -- separated by blanks; empty: any
ALTER TABLE api_key
    ADD COLUMN last_used_at timestamptz; -- to the hour
