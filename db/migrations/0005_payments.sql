-- Payments that somebody has to see to, as a list; and authorized_minor as what is held or taken now: of a voided payment,
-- nothing.
CREATE INDEX payment_waiting ON payment (tenant, state, order_id, group_no) WHERE state IN ('unknown', 'requires_action', 'declined');
UPDATE payment SET authorized_minor = 0 WHERE state = 'voided';
