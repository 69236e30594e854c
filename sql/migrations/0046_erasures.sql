-- 0046_erasures: what spoolers remember of people is asked for anew when somebody was erased.
ALTER TABLE tenant_generation ADD COLUMN erasures bigint NOT NULL DEFAULT 0;
