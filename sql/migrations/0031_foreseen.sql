-- 0031_foreseen: receipts that are known before their time, of simulators.

-- NULL: at once.
ALTER TABLE hook_inbox ADD COLUMN due timestamptz;
GRANT INSERT ON hook_inbox TO belfry_spooler;
