"""What the stories of WatchOrder share: streams read by python3-grpcio."""
import re
import urllib.request

import grpc


def open_watch(w, order_id, after=0, timeout=60, channel=None):
    """The call, an iterator of messages."""
    svc = w.pb["order_service"]
    return (channel or w.channel).unary_stream(
        "/orderd.v1.OrderService/WatchOrder", svc.WatchOrderRequest.SerializeToString,
        svc.WatchOrderResponse.FromString)(svc.WatchOrderRequest(order_id=order_id, after_sequence=after), timeout=timeout)


def read(call, seen, until=None):
    """Puts events into `seen` till the stream's end, or till until(event); (status name, error or None)."""
    try:
        for m in call:
            if m.WhichOneof("what") != "event":
                continue
            assert m.sequence == m.event.sequence, m
            seen.append(m.event)
            if until is not None and until(m.event):
                call.cancel()
                return "CANCELLED", None
    except grpc.RpcError as e:
        return e.code().name, e
    return "OK", None


def follow(w, order_id, after=0, timeout=60):
    """Every event to the end, which must be a good one."""
    seen = []
    end, error = read(open_watch(w, order_id, after, timeout), seen)
    assert end == "OK", (end, error, [e.kind for e in seen])
    return seen


def is_whole(w, order_id, seen, after=0):
    """Each sequence once, in order, and what GetOrder tells."""
    assert [e.sequence for e in seen] == list(range(after + 1, after + 1 + len(seen))), [e.sequence for e in seen]
    told = list(w.get(order_id, with_events=True).events)
    assert list(seen) == told[after:], ([e.kind for e in seen], [e.kind for e in told])


def metric(w, name):
    """The value of a metric, named without orderd_ and, if it has no labels, without _total; 0 when it is not there."""
    with urllib.request.urlopen("http://%s/metrics" % w.env["HTTP"], timeout=10) as page:
        found = re.search(r"^\w*?%s(?:_total)? (\d+)$" % re.escape(name), page.read().decode(), re.M)
    return int(found.group(1)) if found else 0
