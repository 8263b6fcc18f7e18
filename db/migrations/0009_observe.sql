-- The trace a call came with, id and flags as core/base/trace.h stores them: 18 bytes of an order.  Its jobs
-- belong to it; one that another call has made (a cancellation's void) keeps that call's own.  NULL: made before
-- there were traces, or, of a job, the order's.

ALTER TABLE orders ADD COLUMN trace bytea CHECK (length(trace) = 17);
ALTER TABLE job ADD COLUMN trace bytea CHECK (length(trace) = 17);

-- What waits for a person, for the gauge: few among all that ever did.
CREATE INDEX order_hold_waiting ON order_hold (opened_at) WHERE released_at IS NULL;
