-- Two rows have changed places.
ALTER TABLE call_record DISABLE TRIGGER call_record_kept;
UPDATE call_record SET seq = -1 WHERE (tenant, seq) = (1, 1);
UPDATE call_record SET seq = 1 WHERE (tenant, seq) = (1, 2);
UPDATE call_record SET seq = 2 WHERE (tenant, seq) = (1, -1);
