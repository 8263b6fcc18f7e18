ALTER TABLE call_record DISABLE TRIGGER call_record_leave;
DELETE FROM call_record WHERE (tenant, seq) = (1, 2);
