"""orderd-sim's own webhooks before orderd: the two were written apart, each after its vendor.

A parcel is looked at once in an hour here and the sweep comes every ten minutes: an order is completed because the
simulator told, and orderd believed it.  A parcel moves when the simulator's clock is told to, for what the carrier tells
before the hand-over wakes nobody.
"""
import json
import os
import urllib.request

from world import run

SCAN_S = 3600


def sim(w, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(w.env["SIM_URL"] + "/_sim/" + path, data), timeout=20) as answer:
        return json.load(answer)


def secret(w, provider):
    with open(os.path.join(w.env["DATA"], provider + "_webhook.key")) as f:
        return f.read().strip()


def listen(w):
    sim(w, "webhooks", {vendor: {"url": "http://%s/webhooks/%s" % (w.env["WEBHOOKS"], vendor), "secret": secret(w, vendor),
                                 "first_ms": 20} for vendor in ("gateway", "carrier")})


def told(w, vendor):
    return sim(w, "webhooks")[vendor]["events"]


def all_accepted(w):
    w.until(lambda: all(v["waiting"] == 0 for v in sim(w, "webhooks").values()), "the webhooks to be accepted")
    for vendor in ("gateway", "carrier"):
        states = {e["state"] for e in told(w, vendor)}
        assert states == {"delivered"}, (vendor, told(w, vendor))
        kept = w.number("SELECT count(*) FROM webhook_event WHERE provider = '%s'" % vendor)
        assert kept == len(told(w, vendor)), (vendor, kept, told(w, vendor))


def travels(w, order):
    """Handed over, and at the door."""
    w.until(lambda: w.sql("SELECT state FROM shipment WHERE order_id = '%s'" % order) == [("handed_over",)], "the hand-over")
    sim(w, "clock", {"advance_s": 3 * SCAN_S})


def order_is_completed__by_what_the_simulator_tells(w):
    listen(w)
    order = w.place().order_id
    travels(w, order)
    w.until(lambda: w.state(order) == "completed", "the delivery")
    assert [e["type"] for e in told(w, "carrier")] == ["tracker.created"] + 3 * ["tracker.updated"]
    assert "payment_intent.amount_capturable_updated" in [e["type"] for e in told(w, "gateway")]
    all_accepted(w)


def webhooks_are_spoiled_doubled_and_out_of_order__order_is_completed_all_the_same(w):
    listen(w)
    for fault in ("bad_signature", "doubled", "reordered"):
        for vendor in ("gateway", "carrier"):
            sim(w, "faults", {"path": "/webhooks/%s/*" % vendor, "fault": fault, "ms": 500})
    order = w.place().order_id
    travels(w, order)
    w.until(lambda: w.state(order) == "completed", "the delivery")
    all_accepted(w)
    assert {e["fault"] for e in told(w, "carrier") if "fault" in e} == {"bad_signature", "doubled", "reordered"}
    spoiled = next(e for e in told(w, "carrier") if e.get("fault") == "bad_signature")
    assert spoiled["attempts"] > 1, spoiled


def books_are_right_in_the_end(w):
    w.audit()


if __name__ == "__main__":
    run(order_is_completed__by_what_the_simulator_tells,
        webhooks_are_spoiled_doubled_and_out_of_order__order_is_completed_all_the_same,
        books_are_right_in_the_end,
        config="track_poll_ms = 3600000\nsweep_ms = 600000\n", sim_args="--scan-ms %d" % (SCAN_S * 1000))
