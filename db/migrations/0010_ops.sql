-- For those who run it: queues that can be paused, what operators did, and jobs that died as a hold of their order.

-- The queues of jobs.  No claim is given out for one that is paused.
CREATE TABLE queue (
	role       text PRIMARY KEY CHECK (role IN ('payment', 'fulfillment', 'shipping', 'notification')),
	paused     boolean NOT NULL DEFAULT false,
	reason     text NOT NULL DEFAULT '',
	changed_by text NOT NULL DEFAULT '', -- '': nobody has paused or resumed it yet
	changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO queue (role) VALUES ('payment'), ('fulfillment'), ('shipping'), ('notification');

-- Who did what to jobs and queues, and why; `id` is the request's resource.
CREATE TABLE operator_action (
	tenant  int NOT NULL,
	id      uuid NOT NULL,
	action  text NOT NULL CHECK (action IN ('retry_jobs', 'cancel_job', 'pause_queue', 'resume_queue')),
	subject text NOT NULL,               -- a job's kind, a filter, or a queue
	job_id  uuid,                        -- cancel_job alone
	reason  text NOT NULL,
	actor   text NOT NULL,
	jobs    bigint NOT NULL DEFAULT 0,   -- how many were retried
	more    boolean NOT NULL DEFAULT false, -- others matched
	at      timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, id)
);

-- A dead job holds its order, until it is retried: audit job_dead_held.
ALTER TABLE order_hold
	DROP CONSTRAINT order_hold_reason_check,
	ADD CONSTRAINT order_hold_reason_check CHECK (reason IN ('payment', 'inventory', 'returned', 'shipping', 'job_dead'));
INSERT INTO order_hold (tenant, order_id, group_no, reason, detail)
SELECT DISTINCT ON (tenant, order_id, group_no) tenant, order_id, group_no, 'job_dead', kind || ': ' || coalesce(last_error, '')
FROM job WHERE state = 'dead' ORDER BY tenant, order_id, group_no, created_at DESC;

-- Orders that may be stuck, by age.  Placing writes to neither of them: an order gets its entry when it is confirmed.
CREATE INDEX order_hold_open ON order_hold (tenant, order_id) WHERE released_at IS NULL;
CREATE INDEX orders_at_work ON orders (tenant, id) WHERE state IN ('confirmed', 'cancelling');
