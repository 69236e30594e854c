-- 0044_idempotency_age: a key that is too old is not there, whoever looks first.

GRANT DELETE ON idempotency TO belfry_api;
