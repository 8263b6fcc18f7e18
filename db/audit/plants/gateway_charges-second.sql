-- also: gateway_attempts
-- It names an attempt that has another payment there.
UPDATE payment_attempt SET gateway_id = 'pi_another' WHERE id = (
	SELECT attempt_id FROM gateway_payment WHERE captured_minor > 0 LIMIT 1);
