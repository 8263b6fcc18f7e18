-- What the customer is told of, and with which template; NULL: nothing.  workers/notification/template_table.h says the
-- same in C; a test compares.
CREATE FUNCTION mail_template(kind text, detail text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE kind
	WHEN 'confirmed' THEN 'confirmed'
	WHEN 'delayed' THEN 'delayed'
	WHEN 'shipped' THEN 'shipped'
	WHEN 'tracking' THEN CASE detail WHEN 'out_for_delivery' THEN 'out_for_delivery' END
	WHEN 'delivered' THEN 'delivered'
	WHEN 'cancelled' THEN 'cancelled'
	WHEN 'expired' THEN 'cancelled'
	WHEN 'payment_declined' THEN 'payment_problem'
	WHEN 'payment_action_required' THEN 'payment_problem'
	WHEN 'rejected' THEN 'payment_problem'
	WHEN 'returned_to_sender' THEN 'returned'
END;
