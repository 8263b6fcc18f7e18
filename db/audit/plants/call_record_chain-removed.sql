ALTER TABLE call_record DISABLE TRIGGER call_record_kept;
DELETE FROM call_record WHERE (tenant, seq) = (1, 2);
