DELETE FROM payment_transaction WHERE (tenant, attempt_id, kind) = (
	SELECT tenant, attempt_id, kind FROM payment_transaction WHERE kind = 'capture' AND amount_minor > 0 LIMIT 1);
