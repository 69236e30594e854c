-- 0006_operation: what operators do with single letters, spoolers and the whole queue.

-- Replaying and discarding go by the delivery.
CREATE INDEX dead_letter_id ON dead_letter (tenant_id, id);
