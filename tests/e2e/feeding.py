"""What the stories of WatchOrders share: feeds read by python3-grpcio."""
import subprocess

import grpc

METHOD = "/orderd.v1.OrderService/WatchOrders"


def open_feed(w, token="", customer="", timeout=60, channel=None, metadata=None):
    """The call, an iterator of messages."""
    svc = w.pb["order_service"]
    return (channel or w.channel).unary_stream(
        METHOD, svc.WatchOrdersRequest.SerializeToString, svc.WatchOrdersResponse.FromString)(
            svc.WatchOrdersRequest(resume_token=token, customer=customer), timeout=timeout, metadata=metadata)


def key(e):
    return e.order_id, e.event.sequence


class Reader:
    """One follower across its streams: what it saw, and the token of its last message."""

    def __init__(self, w, **how):
        self.w, self.how, self.token, self.seen, self.call = w, how, "", [], None

    def open(self, channel=None):
        """A stream from where it is; without a token its first message, which is nothing but one."""
        if channel is not None:
            self.how["channel"] = channel
        fresh = not self.token
        self.call = open_feed(self.w, self.token, **self.how)
        if fresh:
            first = next(self.call)
            assert not first.events and first.resume_token, first
            self.token = first.resume_token
        return self

    def take(self, m):
        self.seen += [key(e) for e in m.events]
        self.token = m.resume_token

    def until(self, done):
        """Reads till done(event) for one of them, or done is None and the stream ends; then (status name, error)."""
        try:
            for m in self.call:
                self.take(m)
                if done is not None and any(done(e) for e in m.events):
                    self.call.cancel()
                    return "CANCELLED", None
        except grpc.RpcError as e:
            return e.code().name, e
        return "OK", None


def stored(w, tenant=1, customer=None, since=None):
    """{(order, seq)} as the database has them."""
    of = "" if customer is None else " AND o.customer = '%s'" % customer
    if since is not None:
        of += " AND o.number > %d" % since
    return {(row[0], int(row[1])) for row in w.sql(
        "SELECT e.order_id, e.seq FROM order_event e JOIN orders o ON (o.tenant, o.id) = (e.tenant, e.order_id)"
        " WHERE o.tenant = %d%s" % (tenant, of))}


def is_whole(seen, wanted):
    """Each once, and each order's in sequence."""
    assert len(seen) == len(set(seen)), "told twice: %s" % [x for x in seen if seen.count(x) > 1][:5]
    assert set(seen) == set(wanted), ("missing", sorted(set(wanted) - set(seen))[:5], "too much", sorted(set(seen) - set(wanted))[:5])
    last = {}
    for order, seq in seen:
        assert seq > last.get(order, 0), (order, seq, last[order])
        last[order] = seq


def alone(w, statement):
    """Run as a command of its own, so that a DO block may commit."""
    done = subprocess.run(
        ["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement,
         "host=%s dbname=orderd user=postgres options='-c search_path=orderd,public'" % w.env["SOCKETS"]],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def orders_of_their_own(w, tenants, first_customer, last_customer, each=1):
    """Orders that nothing else moves, of customers c<n>; like one that is completed."""
    pattern = w.place(customer="pattern").order_id
    w.until(lambda: w.state(pattern) == "completed", "the pattern")
    names = [r[0] for r in w.sql("SELECT column_name FROM information_schema.columns"
                                 " WHERE table_schema = 'orderd' AND table_name = 'orders'")]
    new = {"tenant": "t.tenant", "id": "gen_random_uuid()", "number": "nextval('order_number')", "version": "1", "channel": "'feed'",
           "customer": "'c' || c"}
    w.sql("INSERT INTO tenant (tenant, name) SELECT t, 'tenant ' || t FROM unnest(ARRAY[%s]) t ON CONFLICT DO NOTHING" % tenants)
    w.sql("INSERT INTO orders (%s) SELECT %s FROM orders o, tenant t, generate_series(%d, %d) c, generate_series(1, %d)"
          " WHERE o.id = '%s' AND t.tenant IN (%s)"
          % (", ".join(names), ", ".join(new.get(n, "o." + n) for n in names), first_customer, last_customer, each, pattern, tenants))
