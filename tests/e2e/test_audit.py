"""The audit as it runs: a worker asks every rule of db/audit, says what it finds, and takes it back when it is mended.  What
the gateway took is read from its own list; a charge that nobody here knows of is named."""
import json
import os
import re
import subprocess
import urllib.parse
import urllib.request

from programs import http
from world import ROOT, run

PSQL = "/usr/lib/postgresql/15/bin/psql"
CONFIG = """
audit_s = 1
audit_timeout_s = 1
"""


def rules():
    return sorted(f[:-4] for f in os.listdir(os.path.join(ROOT, "db", "audit")) if f.endswith(".sql"))


def metrics(w):
    """{metric{labels}: value} of the worker."""
    return dict(line.rsplit(" ", 1) for line in http(w, "/metrics", of="WORKER_HTTP")[2].splitlines() if line[0] != "#")


def violations(w):
    """{rule: rows} of every rule that was answered."""
    shown = (re.fullmatch(r'orderd_invariant_violations\{check="(\w+)"\} (\d+)', "%s %s" % m) for m in metrics(w).items())
    return {m[1]: int(m[2]) for m in shown if m}


def runs(w, rule, outcome):
    return int(metrics(w).get('orderd_audit_runs_total{check="%s",outcome="%s"}' % (rule, outcome), 0))


def asked_again(w, *names):
    """Each of these rules is asked, and answered, after this moment."""
    before = {n: runs(w, n, "holds") + runs(w, n, "broken") for n in names}
    # one answer may be on its way already
    w.until(lambda: all(runs(w, n, "holds") + runs(w, n, "broken") > before[n] + 1 for n in names), "two more rounds")


def found(w, **expected):
    """These rules, and no others, name so many rows."""
    w.until(lambda: {r: n for r, n in violations(w).items() if n > 0} == expected, "to find %s, not %s" % (expected, violations(w)))


def log_has(w, text):
    with open(os.path.join(w.env["DATA"], "log", "worker.log"), errors="replace") as f:
        return text in f.read()


def at_gateway(w, path, **form):
    """A call past orderd, as whoever else has the account's key makes it."""
    body = urllib.parse.urlencode({k.replace("__", "[") + ("]" if "__" in k else ""): v for k, v in form.items()}).encode()
    request = urllib.request.Request(w.env["SIM_URL"] + "/v1/payment_intents" + path, body,
                                     {"Authorization": "Bearer sk_test_somebody"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return re.search(r'"id": ?"(pi_\w+)"', answer.read().decode())[1]


def charge(w, amount, **form):
    return at_gateway(w, "", amount=amount, currency="eur", payment_method="pm_card_visa", capture_method="manual", confirm="true",
                      payment_method_types__0="card", **form)


def books(w, *options, database="orderd"):
    """./dev audit: (exit code, what it prints)."""
    done = subprocess.run([os.path.join(ROOT, "tools", "audit-books"), *options,
                           "host=%s dbname=%s user=postgres" % (w.env["SOCKETS"], database)],
                          env=dict(os.environ, PATH="/usr/lib/postgresql/15/bin:" + os.environ["PATH"]),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def sim_forgets_faults(w):
    urllib.request.urlopen(urllib.request.Request(w.env["SIM_URL"] + "/_sim/faults", method="DELETE"), timeout=10).read()


def delivered(w):
    order = w.place().order_id
    w.until(lambda: w.state(order) == "completed", "delivery")
    return order


def walked(w):
    """A walk through all that the gateway has made until now is over."""
    start = w.number("SELECT extract(epoch FROM now())::bigint")
    w.until(lambda: int(metrics(w)["orderd_gateway_walked_timestamp_seconds"]) > start, "the gateway to be read")


# ---- rules

def books_are_right__every_rule_says_that_it_holds(w):
    for _ in range(3):
        delivered(w)
    walked(w)
    asked_again(w, *rules())
    assert violations(w) == dict.fromkeys(rules(), 0), violations(w)
    shown = metrics(w)
    for rule in rules():
        assert int(shown['orderd_audit_answered_timestamp_seconds{check="%s"}' % rule]) > 0
        assert int(shown['orderd_audit_seconds_count{check="%s"}' % rule]) > 0
    assert w.number("SELECT count(*) FROM gateway_payment WHERE captured_minor = 1290") == 3


def stock_is_miscounted__named_until_it_is_mended(w):
    place = "WHERE (item, location) = (SELECT min(item), min(location) FROM stock)"
    w.sql("UPDATE stock SET on_hand = on_hand + 1 " + place)
    found(w, stock_counters=1)
    w.until(lambda: log_has(w, "event=audit_broken check=stock_counters rows=1 first="), "the log to name it")
    code, said = books(w)
    assert code == 1 and re.search(r"^stock_counters +BROKEN  \(1 row\)$", said, re.M), said
    code, said = books(w, "--json")
    assert code == 1, said
    assert {r["check"]: (r["violations"], len(r["first"])) for r in json.loads(said)} == {
        r: (1, 1) if r == "stock_counters" else (0, 0) for r in rules()}, said
    w.sql("UPDATE stock SET on_hand = on_hand - 1 " + place)
    found(w)
    w.until(lambda: log_has(w, "event=audit_mended check=stock_counters rows_before=1"), "the log to say so")
    code, said = books(w)
    assert code == 0 and said.endswith("%d rules, 0 broken, 0 not asked\n" % len(rules())), said
    code, said = books(w, database="template1")  # no tables of ours
    assert code == 2 and said.endswith("%d rules, 0 broken, %d not asked\n" % (len(rules()), len(rules()))), said


def rule_cannot_be_asked__told_apart_from_one_that_holds(w):
    """Somebody holds the table of one rule; the others go on."""
    rule = "shipment_labels"
    asked_again(w, rule)
    psql = subprocess.Popen([PSQL, "-X", "-q", "-At", "host=%s dbname=orderd user=postgres" % w.env["SOCKETS"]],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    psql.stdin.write("BEGIN; LOCK TABLE orderd.shipment_rate; SELECT 'locked';\n")
    psql.stdin.flush()
    assert psql.stdout.readline() == "locked\n"
    try:
        w.until(lambda: runs(w, rule, "failed") > 0, "a rule that cannot be asked")
        w.until(lambda: log_has(w, "event=audit_not_asked check=%s error=UNKNOWN_OUTCOME" % rule), "the log to say so")
        answered = metrics(w)['orderd_audit_answered_timestamp_seconds{check="%s"}' % rule]
        asked_again(w, "stock_counters")
        assert metrics(w)['orderd_audit_answered_timestamp_seconds{check="%s"}' % rule] == answered
    finally:
        psql.communicate("ROLLBACK;\n", timeout=20)
    asked_again(w, rule)
    found(w)


# ---- the gateway

def charged_past_us__named_until_it_is_let_go(w):
    pi = charge(w, 777)
    found(w, gateway_charges=1)
    assert w.sql("SELECT attempt_id, held_minor, captured_minor, currency FROM gateway_payment WHERE id = '%s'" % pi) == \
        [("", "777", "0", "EUR")]
    at_gateway(w, "/%s/cancel" % pi)
    found(w)


def captured_amount_was_changed__named(w):
    order = delivered(w)
    walked(w)
    both = ("UPDATE payment_transaction SET amount_minor = amount_minor {0} WHERE order_id = '{1}' AND kind = 'capture';"
            "UPDATE payment SET captured_minor = captured_minor {0} WHERE order_id = '{1}'")
    w.sql(both.format("- 1", order))
    found(w, gateway_charges=1)
    w.sql(both.format("+ 1", order))
    found(w)


def attempt_is_unknown_to_the_gateway__named(w):
    order = delivered(w)
    walked(w)
    pi = w.sql("SELECT gateway_id FROM payment_attempt WHERE order_id = '%s'" % order)[0][0]
    w.sql("UPDATE payment_attempt SET gateway_id = 'pi_nobody', updated_at = now() - interval '1 hour' WHERE gateway_id = '%s'" % pi)
    found(w, gateway_attempts=1, gateway_charges=1)  # and the payment it has there is not the one it names
    w.sql("UPDATE payment_attempt SET gateway_id = '%s' WHERE gateway_id = 'pi_nobody'" % pi)
    found(w)


def gateway_is_away__only_later(w):
    w.fault(path="/v1/payment_intents", method="GET", fault="500", count=1000000)
    w.until(lambda: log_has(w, "event=gateway_not_read step=list error=PROVIDER_BUSY"), "a list that fails")
    pi = charge(w, 778)
    asked_again(w, "gateway_charges")
    assert violations(w)["gateway_charges"] == 0
    sim_forgets_faults(w)
    found(w, gateway_charges=1)
    at_gateway(w, "/%s/cancel" % pi)
    found(w)


def list_has_many_pages__all_are_read_and_a_killed_worker_goes_on(w):
    """A hundred to a page; the worker dies between two, and the walk is not begun anew."""
    made = {charge(w, 1000 + i) for i in range(250)}
    w.until(lambda: w.number("SELECT count(*) FROM gateway_walk WHERE after <> ''") == 1, "the second page")
    w.kill("worker")
    before = w.sql("SELECT until FROM gateway_walk WHERE after <> ''")
    w.again("worker")
    if before:  # else the walk was over just before
        w.until(lambda: w.sql("SELECT walked_until FROM gateway_walk") >= before, "the walk to end")
    walked(w)
    seen = {row[0] for row in w.sql("SELECT id FROM gateway_payment WHERE amount_minor BETWEEN 1000 AND 1249 AND held_minor > 0")}
    assert seen == made, (len(seen), len(made))
    found(w, gateway_charges=250)
    for pi in made:
        at_gateway(w, "/%s/cancel" % pi)
    found(w)


def charged_twice_for_an_attempt__named(w):
    order = delivered(w)
    attempt = w.sql("SELECT id FROM payment_attempt WHERE order_id = '%s'" % order)[0][0]
    pi = charge(w, 1290, metadata__attempt_id=attempt)
    found(w, gateway_charges=1, gateway_once=1)  # the attempt names another one
    at_gateway(w, "/%s/capture" % pi)
    found(w, gateway_charges=1, gateway_once=1, gateway_capped=1)


if __name__ == "__main__":
    run(books_are_right__every_rule_says_that_it_holds,
        stock_is_miscounted__named_until_it_is_mended,
        rule_cannot_be_asked__told_apart_from_one_that_holds,
        charged_past_us__named_until_it_is_let_go,
        captured_amount_was_changed__named,
        attempt_is_unknown_to_the_gateway__named,
        gateway_is_away__only_later,
        list_has_many_pages__all_are_read_and_a_killed_worker_goes_on,
        charged_twice_for_an_attempt__named,
        config=CONFIG)
