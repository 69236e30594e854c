-- 0022_test: notifications of test keys, and a tenant's secrets.

ALTER TABLE notification
    ADD COLUMN test boolean NOT NULL DEFAULT false; -- simulators alone send it
ALTER TABLE api_key
    ADD COLUMN test boolean NOT NULL DEFAULT false; -- its notifications are such
ALTER TABLE tenant
    ADD COLUMN sealed bytea; -- the secret ones of its settings
