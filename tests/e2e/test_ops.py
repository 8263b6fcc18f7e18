"""Those who run it: dead jobs are seen and brought back, queues are paused, orders that lie still are listed with why."""
import json
import os
import re
import subprocess
import urllib.request
import uuid

from google.protobuf import json_format

from world import run

PATIENT = "max_attempts = 4\n"  # so that a job dies while we look


def ops(w, method, **fields):
    return w.call("OpsService", method, getattr(w.pb["ops_service"], method + "Request")(**fields))


def refused(w, method, **fields):
    return w.refusal("OpsService", method, getattr(w.pb["ops_service"], method + "Request")(**fields))


def fresh():
    return str(uuid.uuid4())


def state_of(w, job):
    return w.pb["ops_service"].JobState.Name(ops(w, "GetJob", job_id=job).job.state).replace("JOB_STATE_", "").lower()


def filtered(w, state="dead", **more):
    svc = w.pb["ops_service"]
    return svc.JobFilter(state=svc.JobState.Value("JOB_STATE_" + state.upper()), **more)


def count(w, **more):
    answer = ops(w, "RetryJobs", filter=filtered(w, **more), validate_only=True)
    return answer.count, answer.more


def heal(w):
    urllib.request.urlopen(urllib.request.Request(w.env["SIM_URL"] + "/_sim/faults", method="DELETE"), timeout=10).read()


def job(w, order, kind):
    return w.sql("SELECT id FROM job WHERE order_id = '%s' AND kind = '%s'" % (order, kind))[0][0]


def dead_label(w):
    """(order, job): no label can be had, and the job has been given up."""
    w.fault(path="/v2/shipments", fault="500", count=1000000)
    order = w.place().order_id
    w.until(lambda: w.number("SELECT count(*) FROM job WHERE order_id = '%s' AND state = 'dead'" % order) == 1, "the job's death")
    heal(w)
    return order, job(w, order, "shipping.label")


def queue(w, role):
    return next(q for q in ops(w, "ListQueues").queues if q.role == role)


def pause(w, role, reason="a test"):
    return ops(w, "PauseQueue", role=role, reason=reason, request_id=fresh()).queue


def resume(w, role):
    return ops(w, "ResumeQueue", role=role, request_id=fresh()).queue


def stuck(w, **fields):
    """{order: {(reason, subject)}} of all pages."""
    found, token = {}, ""
    names = w.pb["ops_service"].StuckReason
    while True:
        page = ops(w, "ListStuckOrders", page_token=token, page_size=2, **fields)
        for o in page.orders:
            assert o.order_id not in found, "twice"
            assert all(c.advice and c.HasField("since_time") for c in o.causes), o
            found[o.order_id] = {(names.Name(c.reason).replace("STUCK_REASON_", "").lower(), c.subject) for c in o.causes}
        token = page.next_page_token
        if not token:
            return found


def holds(w, order):
    return [h.reason for h in w.get(order).order.holds]


def ctl(w, *args, code=0):
    env = {"PATH": os.environ["PATH"], "ORDERD_SERVER": w.env["GRPC"]}
    done = subprocess.run([os.path.join(w.env["DATA"], "bin", "orderctl"), *args], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == code and "Sanitizer" not in done.stderr, (args, done)
    return done.stdout if code == 0 else done.stderr


# ---- dead jobs

def job_dies__is_shown_counted_retried_and_its_order_completes(w):
    order, dead = dead_label(w)
    seen = ops(w, "GetJob", job_id=dead).job
    assert (seen.kind, seen.order_id, seen.attempts, state_of(w, dead)) == ("shipping.label", order, 4, "dead")
    assert seen.last_error != ""
    assert [j.job_id for j in ops(w, "ListJobs", state="JOB_STATE_DEAD").jobs] == [dead]
    assert holds(w, order) == ["job_dead"]
    assert stuck(w) == {order: {("dead_job", "shipping.label")}}
    assert count(w) == (1, False) and count(w, kind="shipping.label", last_error_prefix=seen.last_error[:9]) == (1, False)
    assert count(w, kind="payment.capture") == (0, False) and count(w, last_error_prefix="not this") == (0, False)
    assert state_of(w, dead) == "dead"
    w.audit()
    key = fresh()
    assert ops(w, "RetryJobs", job_id=dead, request_id=key).count == 1
    w.until(lambda: w.state(order) == "completed", "delivery")
    assert holds(w, order) == [] and stuck(w) == {}
    assert ops(w, "RetryJobs", job_id=dead, request_id=key).count == 1  # told again what came of it
    assert "job_retried" in [e.kind for e in w.get(order, with_events=True).events]
    assert refused(w, "RetryJobs", job_id=dead, request_id=fresh())[1] == "JOB_NOT_RETRYABLE"
    w.audit()


def many_dead_jobs__are_retried_by_what_killed_them(w):
    orders = [dead_label(w)[0] for _ in range(3)]
    assert count(w, role="shipping") == (3, False)
    first, second = (ops(w, "ListJobs", state="JOB_STATE_DEAD", kind="shipping.label", page_size=2), None)
    second = ops(w, "ListJobs", state="JOB_STATE_DEAD", kind="shipping.label", page_size=2, page_token=first.next_page_token)
    assert [j.order_id for j in list(first.jobs) + list(second.jobs)] == orders and not second.next_page_token
    answer = ops(w, "RetryJobs", filter=filtered(w, kind="shipping.label"), request_id=fresh())
    assert (answer.count, answer.more) == (3, False)
    for order in orders:
        w.until(lambda: w.state(order) == "completed", "delivery")


def put_off_job__is_due_at_once(w):
    pause(w, "payment")
    order = w.place().order_id
    later = job(w, order, "payment.authorize")
    w.sql("UPDATE job SET run_at = now() + interval '1 hour' WHERE id = '%s'" % later)
    assert count(w, state="ready") == (1, False)
    assert ops(w, "RetryJobs", filter=filtered(w, state="ready"), request_id=fresh()).count == 1
    resume(w, "payment")
    w.until(lambda: w.state(order) == "completed", "delivery")


# ---- pauses

def paused_queue__orders_are_taken_and_wait_until_it_is_resumed(w):
    before = len(w.charges("authorize"))
    q = pause(w, "payment", "the gateway is being repaired")
    assert (q.paused, q.reason, q.changed_by) == (True, "the gateway is being repaired", "local") and q.HasField("change_time")
    orders = [w.place().order_id for _ in range(5)]
    w.kill("worker")
    w.again("worker")  # knows it, too
    other = w.sql("SELECT count(*) FROM job WHERE state = 'running' AND kind LIKE 'payment.%'")
    assert other == [("0",)]
    q = queue(w, "payment")
    assert (q.paused, q.ready, q.running, q.dead, q.streams_known) == (True, 5, 0, 0, True) and q.HasField("oldest_ready_time")
    assert not queue(w, "shipping").paused
    assert len(w.charges("authorize")) == before
    q = resume(w, "payment")
    assert (q.paused, q.reason) == (False, "")
    for order in orders:
        w.until(lambda: w.state(order) == "completed", "delivery")
        assert len(w.charges("authorize", order)) == 1


def paused_without_redis__holds_as_well(w):
    w.kill("redis")
    pause(w, "payment")
    order = w.place().order_id
    assert not queue(w, "payment").streams_known
    pause(w, "shipping")
    resume(w, "shipping")  # whatever else happens meanwhile
    assert w.number("SELECT count(*) FROM job WHERE order_id = '%s' AND epoch > 0" % order) == 0
    w.again("redis")
    w.until(lambda: queue(w, "payment").streams_known, "Redis")
    assert queue(w, "payment").paused
    assert w.number("SELECT count(*) FROM job WHERE order_id = '%s' AND epoch > 0" % order) == 0
    w.kill("redis")
    resume(w, "payment")
    w.until(lambda: w.state(order) == "completed", "delivery")
    w.again("redis")


def pause_sent_late__does_not_pause_again(w):
    late = dict(role="shipping", reason="once", request_id=fresh())
    assert ops(w, "PauseQueue", **late).queue.paused
    resume(w, "shipping")
    assert not ops(w, "PauseQueue", **late).queue.paused
    assert refused(w, "PauseQueue", **dict(late, reason="another"))[1] == "REQUEST_ID_REUSED"


# ---- giving up

def job_given_up__holds_its_order_and_can_be_brought_back(w):
    pause(w, "payment")
    order = w.place().order_id
    pay, key = job(w, order, "payment.authorize"), fresh()
    gone = ops(w, "CancelJob", job_id=pay, reason="wrong card", request_id=key).job
    assert (state_of(w, pay), gone.last_error) == ("dead", "cancelled by local: wrong card")
    assert ops(w, "CancelJob", job_id=pay, reason="wrong card", request_id=key).job.job_id == pay
    assert refused(w, "CancelJob", job_id=pay, request_id=fresh())[1] == "JOB_NOT_CANCELLABLE"
    resume(w, "payment")
    assert holds(w, order) == ["job_dead"] and stuck(w)[order] == {("dead_job", "payment.authorize")}
    w.audit()
    ops(w, "RetryJobs", job_id=pay, request_id=fresh())
    w.until(lambda: w.state(order) == "completed", "delivery")
    w.audit()


def money_in_doubt__its_job_is_not_given_up(w):
    # The gateway acts at once and answers late: the worker dies knowing nothing, and its lease runs out.
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2700)
    order = w.place().order_id
    pay = job(w, order, "payment.authorize")
    w.until(lambda: len(w.charges("authorize", order)) == 1, "the charge")
    w.kill("worker")
    w.until(lambda: w.number("SELECT count(*) FROM job WHERE id = '%s' AND lease_until < clock_timestamp()" % pay) == 1, "the lease's end")
    assert refused(w, "CancelJob", job_id=pay, request_id=fresh())[1] == "MONEY_IN_DOUBT"
    w.again("worker")
    w.until(lambda: w.state(order) == "completed", "delivery")
    assert len(w.charges("authorize", order)) == 1


def forgotten_key__is_not_asked_for_again(w):
    w.fault(path="/v1/payment_intents", fault="drop_after", count=1000000)
    order = w.place().order_id
    pay = job(w, order, "payment.authorize")
    w.until(lambda: state_of(w, pay) == "dead", "the job's death")
    heal(w)
    asked = w.charges("authorize", order)
    w.sql("UPDATE payment_attempt SET created_at = now() - interval '1 day' WHERE order_id = '%s'" % order)
    ops(w, "RetryJobs", job_id=pay, request_id=fresh())
    w.until(lambda: state_of(w, pay) == "dead", "its second death")
    assert "may have forgotten" in ops(w, "GetJob", job_id=pay).job.last_error
    assert w.charges("authorize", order) == asked
    w.sql("UPDATE payment_attempt SET created_at = now() WHERE order_id = '%s'" % order)
    ops(w, "RetryJobs", job_id=pay, request_id=fresh())
    w.until(lambda: w.state(order) == "completed", "delivery")


def running_job__is_not_given_up(w):
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2700)
    order = w.place().order_id
    pay = job(w, order, "payment.authorize")
    w.until(lambda: state_of(w, pay) == "running", "the work")
    assert refused(w, "CancelJob", job_id=pay, request_id=fresh())[1] == "JOB_RUNNING"
    w.until(lambda: w.state(order) == "completed", "delivery")


# ---- stuck orders

def stuck_orders__are_listed_with_their_reasons(w):
    pause(w, "fulfillment")
    held, idle, still = (w.place().order_id for _ in range(3))
    for order in (held, idle, still):
        w.until(lambda: w.state(order) == "confirmed", "payment")
    assert stuck(w) == {}
    w.sql("INSERT INTO order_hold (tenant, order_id, group_no, reason, detail) VALUES (1, '%s', 1, 'shipping', 'why')" % held)
    w.sql("UPDATE job SET state = 'done', epoch = 1, done_at = now() WHERE order_id = '%s' AND kind <> 'notification.mail'" % idle)
    assert stuck(w) == {held: {("held", "shipping")}, idle: {("no_work", "")}}
    w.sql("UPDATE orders SET updated_at = now() - interval '2 days' WHERE id = '%s'" % still)
    assert stuck(w, unmoved_seconds=86400) == {**stuck(w), still: {("unmoved", "")}}
    assert list(stuck(w, unmoved_seconds=86400)) == [held, idle, still]  # the oldest first
    w.sql("DELETE FROM order_hold WHERE order_id = '%s'" % held)
    w.sql("UPDATE job SET state = 'ready', done_at = NULL WHERE order_id = '%s' AND kind = 'fulfillment.pick'" % idle)
    resume(w, "fulfillment")
    for order in (held, idle, still):
        w.until(lambda: w.state(order) == "completed", "delivery")


# ---- what is not valid

def what_is_not_valid__names_its_field(w):
    assert refused(w, "GetJob", job_id="x")[3].keys() == {"job_id"}
    assert refused(w, "GetJob", job_id=fresh())[0] == "NOT_FOUND"
    assert refused(w, "ListJobs")[3].keys() == {"state"}
    assert refused(w, "ListJobs", state="JOB_STATE_DONE")[3].keys() == {"state"}
    assert refused(w, "ListJobs", state="JOB_STATE_PARKED")[3].keys() == {"state"}
    assert refused(w, "ListJobs", state="JOB_STATE_DEAD", kind="x", role="y", page_size=-1)[3].keys() == {"kind", "role", "page_size"}
    assert refused(w, "ListJobs", state="JOB_STATE_DEAD", page_token="x" * 60)[3].keys() == {"page_token"}
    assert refused(w, "RetryJobs", request_id="x")[3].keys() == {"job_id"}
    assert refused(w, "RetryJobs", job_id=fresh(), filter=filtered(w), request_id="x")[3].keys() == {"job_id"}
    assert refused(w, "RetryJobs", filter=filtered(w, state="running"))[3].keys() == {"filter.state", "request_id"}
    assert refused(w, "RetryJobs", filter=filtered(w, role="x"), request_id="x")[3].keys() == {"filter.role"}
    assert refused(w, "CancelJob")[3].keys() == {"job_id", "request_id"}
    assert refused(w, "PauseQueue", role="janitor", request_id="x")[3].keys() == {"role", "reason"}
    assert refused(w, "ResumeQueue", role="payment.capture", request_id="x")[3].keys() == {"role"}
    assert refused(w, "ListStuckOrders", unmoved_seconds=-1, page_token="x")[3].keys() == {"unmoved_seconds", "page_token"}


# ---- orderctl

def orderctl__does_all_of_it(w):
    order, dead = dead_label(w)
    out = ctl(w, "jobs")
    assert dead in out and "shipping.label" in out and "DEAD" in out, out
    assert json_format.ParseDict(json.loads(ctl(w, "jobs", "--order", order, "--json")),
                                 w.pb["ops_service"].ListJobsResponse()).jobs[0].job_id == dead
    assert re.search(r"^Tries +4,", ctl(w, "job", "show", dead), re.M)
    assert order in ctl(w, "stuck") and "RetryJobs" in ctl(w, "stuck")
    assert ctl(w, "job", "retry", "--state", "dead", "--kind", "shipping.label") == "1 jobs match; --yes retries them\n"
    assert state_of(w, dead) == "dead"
    pause(w, "shipping")
    assert ctl(w, "job", "retry", "--state", "dead", "--yes") == "1 jobs retried\n"
    ctl(w, "job", "cancel", dead, "--reason", "again")
    assert ctl(w, "job", "retry", dead) == "1 jobs retried\n"
    assert "paused" in ctl(w, "queue", "pause", "shipping", "--reason", "a look")
    assert "a look" in ctl(w, "queues") and not json.loads(ctl(w, "queues", "--json"))["queues"][0]["paused"]
    assert "open" in ctl(w, "queue", "resume", "shipping")
    w.until(lambda: w.state(order) == "completed", "delivery")
    assert "--reason" in ctl(w, "queue", "pause", "shipping", code=2)
    ctl(w, "job", "retry", dead, code=1)
    ctl(w, "job", "retry", dead, "--state", "dead", code=2)
    ctl(w, "jobs", "--state", "sleeping", code=2)


def at_the_end__the_books_are_right(w):
    w.audit()


run(job_dies__is_shown_counted_retried_and_its_order_completes, many_dead_jobs__are_retried_by_what_killed_them,
    put_off_job__is_due_at_once, paused_queue__orders_are_taken_and_wait_until_it_is_resumed,
    paused_without_redis__holds_as_well, pause_sent_late__does_not_pause_again,
    job_given_up__holds_its_order_and_can_be_brought_back, money_in_doubt__its_job_is_not_given_up,
    forgotten_key__is_not_asked_for_again, running_job__is_not_given_up, stuck_orders__are_listed_with_their_reasons,
    what_is_not_valid__names_its_field, orderctl__does_all_of_it, at_the_end__the_books_are_right, config=PATIENT)
