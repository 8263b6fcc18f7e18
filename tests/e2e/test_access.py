"""Who reaches what: every call of every role, and what belongs to another tenant or another customer."""
import types
import uuid

from access import (FREE, INVALID, KINDS, LISTS, NAMES, NO_ERROR, answer_to, ids_named, methods, nobodys, path_of, policy, without)
from keyed import ROLES, Keyed
from world import run

NOT_COUNTED = {"api_key", "call_record", "call_chain", "call_begun"}  # when a key was used; who called: they change by being refused


def modules(w):
    return types.SimpleNamespace(**w.pb)


def known(k, credential):
    k.w.until(lambda: k.outcome(credential) != "UNAUTHENTICATED", "a key", patience_s=20)
    return credential


def reason(k, credential, path):
    """What a call with an empty request is denied for; "" when it is let in."""
    from google.rpc import error_details_pb2, status_pb2
    status, _, data = answer_to(k, credential, path)
    if status != "PERMISSION_DENIED":
        return ""
    info, details = error_details_pb2.ErrorInfo(), status_pb2.Status.FromString(data)
    return next(info.reason for any_ in details.details if any_.Unpack(info))


# ---- the table

def every_method__has_a_row_and_a_story(w):
    table, contract = policy(), methods(modules(w))
    site = {path[len("/orderd.v1."):] for path, (_, cells) in table.items() if "SITE" in cells.values()}
    assert set(contract) == {path[len("/orderd.v1."):] for path in table if path.startswith("/orderd.v1.")}
    assert set(contract) == set(NAMES) | set(LISTS) | set(FREE) | site, "a method that nobody calls with what is another's"
    assert not site & (set(NAMES) | set(LISTS) | set(FREE)) and not set(FREE) & (set(NAMES) | set(LISTS))
    for name, method in contract.items():
        assert name in NAMES or not ids_named(method.input_type), (name, ids_named(method.input_type))


def role__calls_what_its_row_says_and_nothing_else(w):
    table = policy()
    assert len(table) > 30
    with Keyed(w) as k:
        second = k.second_tenant()
        callers = {role: (role, "ALL", k.create(role, role, customer="c-1" if role == "customer" else "")[1]) for role in ROLES}
        callers["bound"] = ("service", "OWN", k.create("bound", "service", customer="c-1")[1])
        callers["bound admin"] = ("ops_admin", "OWN", k.create("bound-admin", "ops_admin", customer="c-1")[1])
        callers["at a location"] = ("service", "AT", k.create("placed", "service", locations=["hall"])[1])
        callers["admin at a location"] = ("ops_admin", "AT", k.create("placed-admin", "ops_admin", locations=["hall"])[1])
        callers["of another tenant"] = ("ops_admin", "ALL", second)
        for caller, (role, reaches, credential) in callers.items():
            known(k, credential)
            for path, (_, cells) in table.items():
                column = {"OWN": "customer", "AT": "mes"}.get(reaches)
                lets_in = cells[role] != "NO" and (column is None or cells[column] == reaches)
                operator = credential != second or cells[role] != "SITE"
                want = "PERMISSION_DENIED" if not lets_in else "" if operator else "NOT_OPERATOR"
                assert reason(k, credential, path) == want, (caller, path, want)
            assert answer_to(k, credential, "/orderd.v1.OrderService/Nothing")[0] == "UNIMPLEMENTED"
        wrong = k.refusal(callers["ops_write"][2], "KeyService", "CreateKey", k.request("mine", "ops_admin"))
        assert wrong[:2] == ("PERMISSION_DENIED", "PERMISSION_DENIED"), wrong
        assert {x.name for x in k.list().keys} == {"root", "bound", "bound-admin", "placed", "placed-admin", *ROLES}


def scope__narrows_a_credential_to_its_calls(w):
    table = policy()
    words = sorted({scope for scope, _ in table.values()} - {""})
    with Keyed(w) as k:
        for word in words:
            credential = known(k, k.create(word.replace(":", "-"), "ops_admin", scopes=word)[1])
            for path, (scope, _) in table.items():
                assert reason(k, credential, path) == ("" if scope in ("", word) else "SCOPE_MISSING"), (word, path)
        both = known(k, k.create("both", "ops_admin", scopes="orders:read payments:read")[1])
        assert reason(k, both, path_of("PaymentService/GetPayment")) == "" == reason(k, both, path_of("OrderService/GetOrder"))
        denied = k.refusal(both, "OrderService", "CancelOrder", w.pb["order_service"].CancelOrderRequest())
        assert denied[:3] == ("PERMISSION_DENIED", "SCOPE_MISSING", {"scope": "orders:write"}), denied
        # The role's row comes first: a word gives nothing that the role has not.
        packer = known(k, k.create("packer", "mes", scopes="orders:write keys:write")[1])
        assert reason(k, packer, path_of("KeyService/CreateKey")) == "PERMISSION_DENIED" == reason(k, packer, path_of("OrderService/PlaceOrder"))


def key__has_no_more_scopes_than_its_maker(w):
    with Keyed(w) as k:
        narrow = known(k, k.create("maker", "ops_admin", scopes="keys:write orders:read")[1])
        for scopes in ("", "orders:write", "orders:read orders:write", "keys:read"):
            status, _, _, fields = k.refusal(narrow, "KeyService", "CreateKey", k.request("more", "service", scopes=scopes))
            assert (status, [*fields]) == ("INVALID_ARGUMENT", ["scopes"]), (scopes, status, fields)
        for scopes in ("orders:read", "orders:read keys:write"):
            assert k.create("less", "service", by=narrow, scopes=scopes)[0].scopes == scopes
        assert {x.name for x in k.list().keys} == {"root", "maker", "less"}


def operator__is_the_tenant_that_the_settings_name(w):
    with Keyed(w, "--operator-tenant=2") as k:
        second, svc = k.second_tenant(), w.pb["ops_service"]
        assert k.refusal(k.root, "OpsService", "Inspect", svc.InspectRequest())[:2] == ("PERMISSION_DENIED", "NOT_OPERATOR")
        pause = svc.PauseQueueRequest(role="payment", request_id=str(uuid.uuid4()))
        assert k.refusal(k.root, "OpsService", "PauseQueue", pause)[1] == "NOT_OPERATOR"
        assert k.call(second, "OpsService", "Inspect", svc.InspectRequest()).columns


# ---- what is somebody's

def furnish(k, admin, prefix):
    """Goods of a tenant at a location that works by itself, and at one that waits for its people."""
    inv, money, place = k.w.pb["inventory_service"], k.w.pb["money"], k.w.pb["place"]
    for name, mode in (("auto", "AUTOMATIC"), ("hall", "MANUAL")):
        k.call(admin, "InventoryService", "CreateLocation", inv.CreateLocationRequest(location=inv.Location(
            code="%s-%s" % (prefix, name), priority=1, fulfillment_mode="FULFILLMENT_MODE_" + mode,
            address=place.Address(name=name, street="Hafenweg 1", city="Berlin", postal_code="10115", country_code="DE"))))
        sku = "%s-of-%s" % (prefix, name)
        k.call(admin, "InventoryService", "UpsertItems", inv.UpsertItemsRequest(items=[inv.Item(
            sku=sku, title="A thing", unit_price=money.Money(currency_code="EUR", amount_minor=1290), weight_grams=340)]))
        k.call(admin, "InventoryService", "ReceiveStock", inv.ReceiveStockRequest(
            request_id=str(uuid.uuid4()), location="%s-%s" % (prefix, name), lines=[inv.StockLine(sku=sku, quantity=1000)]))


def place(k, credential, sku, customer, **fields):
    return k.call(credential, "OrderService", "PlaceOrder", k.w.order_request(lines=[(sku, 1)], customer=customer, **fields)).order.order_id


def belongings(k, admin, prefix, customer):
    """One of each kind that a request may name, of this customer where a customer can have it."""
    w = k.w
    delivered, order = (place(k, admin, prefix + sort, customer) for sort in ("-of-auto", "-of-hall"))
    declined = place(k, admin, prefix + "-of-hall", customer, card="pm_card_visa_chargeDeclined", wait_for_payment=True)

    def one(query):
        return (w.sql(query) or [("",)])[0][0]

    def state(order_id):
        return one("SELECT state FROM orders WHERE id = '%s'" % order_id)

    w.until(lambda: state(delivered) == "completed", "delivery")
    w.until(lambda: one("SELECT state FROM payment WHERE order_id = '%s'" % declined) == "declined", "a refusal")
    parked = "SELECT id FROM job WHERE order_id = '%s' AND kind = 'fulfillment.pick' AND state = 'parked'" % order
    w.until(lambda: one(parked) != "", "a pick")
    return types.SimpleNamespace(
        order=order, declined=declined, customer=customer, sku=prefix + "-of-hall", hall=prefix + "-hall", job=one(parked),
        shipment=one("SELECT id FROM shipment WHERE order_id = '%s'" % delivered),
        fulfillment=one("SELECT id FROM fulfillment_order WHERE order_id = '%s'" % order),
        key=k.create("%s-%s" % (prefix, customer), "customer", by=admin, customer=customer)[0].key_id)


def still(w):
    """From here on nothing changes by itself: the worker has left, and PostgreSQL has ended what it asked for last."""
    w.kill("worker")
    w.until(lambda: w.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orderd-worker'") == 0, "rest")


def digests(w):
    """{table: digest of all its rows}"""
    tables = [name for name, in w.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'orderd' ORDER BY 1") if name not in NOT_COUNTED]
    found = {name: w.sql("SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM %s t" % name)[0][0] for name in tables}
    found["api_key"] = w.sql("SELECT string_agg(kid || coalesce(revoked_by, ''), '|' ORDER BY kid) FROM api_key")[0][0]
    return found


def foreign__is_as_if_it_were_not_there(w, k, asker, theirs, named, invalid):
    """`named` calls with what is `theirs` and with what nobody has."""
    p, before = modules(w), digests(w)
    for method in named:
        for n, request in enumerate(NAMES[method](p, theirs)):
            missing = nobodys(theirs)
            got = without(answer_to(k, asker, path_of(method), request.SerializeToString()), theirs)
            same = without(answer_to(k, asker, path_of(method), NAMES[method](p, missing)[n].SerializeToString()), missing)
            assert got == same, (method, got, same)
            want = "INVALID_ARGUMENT" if method in invalid else "OK" if method in NO_ERROR else "NOT_FOUND"
            assert got[0] == want, (method, got)
    assert digests(w) == before, "a refused call has changed something"


def owner__is_told(w, k, owner, theirs, named):
    """The same requests, so that what was refused was there."""
    p = modules(w)
    for method in named:
        for n, request in enumerate(NAMES[method](p, theirs)):
            missing = nobodys(theirs)
            got = without(answer_to(k, owner, path_of(method), request.SerializeToString()), theirs)
            same = without(answer_to(k, owner, path_of(method), NAMES[method](p, missing)[n].SerializeToString()), missing)
            assert got != same and got[0] in ("OK", "FAILED_PRECONDITION"), (method, got)


def lists__show(w, k, credential, of, methods_, shown):
    for method in methods_:
        for request in LISTS[method](modules(w)):
            status, message, data = answer_to(k, credential, path_of(method), request.SerializeToString())
            assert status == "OK", (method, status, message)
            found = [kind for kind in KINDS if getattr(of, kind).encode() in data]
            assert bool(found) == shown, (method, found)


def other_tenant__is_as_if_it_were_not_there(w):
    with Keyed(w) as k:
        second = k.second_tenant()
        furnish(k, second, "two")
        theirs = belongings(k, second, "two", "two-customer")
        still(w)
        theirs.waiting = place(k, second, "two-of-auto", "two-customer")
        w.sql("UPDATE orders SET updated_at = now() - interval '1 hour' WHERE tenant = 2")
        try:
            foreign__is_as_if_it_were_not_there(w, k, k.root, theirs, NAMES, INVALID)
            lists__show(w, k, k.root, theirs, LISTS, False)
            in_jobs = types.SimpleNamespace(**{**vars(theirs), "order": theirs.waiting})
            for method in LISTS:
                lists__show(w, k, second, in_jobs if method == "OpsService/ListJobs" else theirs, [method], True)
            owner__is_told(w, k, second, theirs, [m for m in NAMES if m != "OpsService/CancelJob"])
            # A page may end at another tenant's job; its token does not say so.
            jobs, token = w.pb["ops_service"].ListJobsRequest, ""
            waiting = [job.encode() for job, in w.sql("SELECT id FROM job WHERE tenant = 2 AND state = 'ready'")]
            for _ in range(100):
                page = k.call(k.root, "OpsService", "ListJobs", jobs(state="JOB_STATE_READY", page_size=1, page_token=token))
                assert waiting and not [job for job in waiting if job in page.SerializeToString()], page
                token = page.next_page_token
                if not token:
                    break
            assert not token
            # Nobody's word for a place in a list works in another tenant's.
            lists = w.pb["order_service"].ListOrdersRequest
            token = k.call(second, "OrderService", "ListOrders", lists(page_size=1)).next_page_token
            status, _, _, fields = k.refusal(k.root, "OrderService", "ListOrders", lists(page_size=1, page_token=token))
            assert token and (status, [*fields]) == ("INVALID_ARGUMENT", ["page_token"])
        finally:
            w.again("worker")


def other_customer__is_as_if_it_were_not_there(w):
    own = {path[len("/orderd.v1."):] for path, (_, cells) in policy().items() if cells["customer"] == "OWN"}
    named, lists = [m for m in NAMES if m in own], ["OrderService/ListOrders"]
    with Keyed(w) as k:
        furnish(k, k.root, "one")
        mine, theirs = (belongings(k, k.root, "one", customer) for customer in ("customer-a", "customer-b"))
        askers = {role: known(k, k.create("ask-" + role, role, customer="customer-a")[1]) for role in ("customer", "service", "ops_admin")}
        owner = known(k, k.create("owner", "customer", customer="customer-b")[1])
        still(w)
        try:
            for asker in askers.values():
                foreign__is_as_if_it_were_not_there(w, k, asker, theirs, named, INVALID | {"OrderService/ListOrders"})
                orders = {o.order_id for o in k.call(asker, "OrderService", "ListOrders", w.pb["order_service"].ListOrdersRequest()).orders}
                assert {mine.order, mine.declined} <= orders and not orders & {theirs.order, theirs.declined}, orders
            for asker, of, shown in ((askers["customer"], mine, True), (owner, theirs, True), (owner, mine, False), (askers["service"], theirs, False)):
                # what is the tenant's, goods and places, is no customer's to be shown or hidden
                of = types.SimpleNamespace(**{**{kind: "nothing-at-all" for kind in KINDS}, "order": of.order, "customer": of.customer})
                lists__show(w, k, asker, of, lists, shown)
            waits = w.pb["payment_service"].ListPaymentsRequest(state="PAYMENT_STATE_DECLINED")
            status, _, _, fields = k.refusal(askers["customer"], "PaymentService", "ListPayments", waits)
            assert (status, [*fields]) == ("INVALID_ARGUMENT", ["order_id"])
            owner__is_told(w, k, owner, theirs, named)
        finally:
            w.again("worker")


def other_location__is_as_if_it_were_not_there(w):
    inv, ful, ship = w.pb["inventory_service"], w.pb["fulfillment_service"], w.pb["shipping_service"]
    at = {path[len("/orderd.v1."):] for path, (_, cells) in policy().items() if cells["mes"] == "AT" and path.startswith("/orderd.v1.")}
    named = [m for m in NAMES if m in at and m != "InventoryService/GetAvailability"]  # an SKU is no location's
    lists = ["FulfillmentService/ListFulfillmentOrders"]
    assert {*named, "InventoryService/GetAvailability"} == at
    with Keyed(w) as k:
        second = k.second_tenant()
        for admin, prefix in ((k.root, "near"), (k.root, "far"), (second, "twin")):
            furnish(k, admin, prefix)
        mine, theirs = (belongings(k, k.root, prefix, prefix + "-customer") for prefix in ("near", "far"))
        twins = belongings(k, second, "twin", "twin-customer")
        # Codes of another tenant's locations are words like others here.
        near = ["near-auto", "near-hall", "twin-auto", "twin-hall", "nowhere"]
        askers = {role: known(k, k.create("near-" + role, role, locations=near)[1]) for role in ("mes", "service", "ops_admin")}
        owner = known(k, k.create("far", "mes", locations=["far-hall", "far-auto"])[1])
        everywhere = known(k, k.create("everywhere", "mes")[1])
        split = k.call(k.root, "OrderService", "PlaceOrder", w.order_request(lines=[("near-of-hall", 1), ("far-of-hall", 1)])).order.order_id
        w.until(lambda: w.number("SELECT count(*) FROM fulfillment_order WHERE order_id = '%s'" % split) == 2, "two groups")
        receipt = inv.ReceiveStockRequest(request_id="far truck", location="far-hall", lines=[inv.StockLine(sku="far-of-hall", quantity=5)])
        handover = ship.ConfirmHandoverRequest(site="dock", report_id="far report", shipment_ids=[theirs.shipment])
        k.call(owner, "InventoryService", "ReceiveStock", receipt)
        k.call(owner, "ShippingService", "ConfirmHandover", handover)
        still(w)
        try:
            before = digests(w)
            for asker in askers.values():
                foreign__is_as_if_it_were_not_there(w, k, asker, theirs, named, INVALID)
                foreign__is_as_if_it_were_not_there(w, k, asker, twins, named, INVALID)
                for of, shown in ((mine, True), (theirs, False), (twins, False)):
                    lists__show(w, k, asker, of, lists, shown)
                for state in ("OPEN", "CLOSED"):
                    page = k.call(asker, "FulfillmentService", "ListFulfillmentOrders", ful.ListFulfillmentOrdersRequest(
                        state="FULFILLMENT_ORDER_STATE_" + state, page_size=200))
                    assert {f.location for f in page.fulfillment_orders} == {{"OPEN": "near-hall", "CLOSED": "near-auto"}[state]}, page
                lies = k.call(asker, "InventoryService", "GetAvailability", inv.GetAvailabilityRequest(skus=["far-of-hall", "near-of-hall"]))
                assert [[p.location for p in i.locations] for i in lies.items] == [[], ["near-hall"]], lies
                found = k.call(asker, "FulfillmentService", "ListFulfillmentOrders", ful.ListFulfillmentOrdersRequest(order_id=split))
                assert [f.location for f in found.fulfillment_orders] == ["near-hall"], found
                moved = k.call(asker, "InventoryService", "ListStockMovements", inv.ListStockMovementsRequest(order_id=split)).movements
                assert moved and {m.location for m in moved} == {"near-hall"}, moved
                # A mistake in what is not there is not told; nor that it was told before.
                wrong = ful.ConfirmPickRequest(fulfillment_order_id=theirs.fulfillment, site="hall", report_id="1",
                                               lines=[ful.PickedLine(line=99, quantity=1)])
                assert k.refusal(asker, "FulfillmentService", "ConfirmPick", wrong)[0] == "NOT_FOUND"
                assert k.refusal(asker, "ShippingService", "ConfirmHandover", handover)[0] == "NOT_FOUND"
                status, _, _, fields = k.refusal(asker, "InventoryService", "ReceiveStock", receipt)
                assert (status, fields) == ("INVALID_ARGUMENT", {"location": "no such location"}), (status, fields)
                mixed = ship.ConfirmHandoverRequest(site="dock", report_id="mixed", shipment_ids=[mine.shipment, theirs.shipment])
                assert k.refusal(asker, "ShippingService", "ConfirmHandover", mixed)[0] == "NOT_FOUND"
            assert digests(w) == before
            for caller, of in ((askers["mes"], mine), (owner, theirs), (everywhere, mine), (everywhere, theirs)):
                owner__is_told(w, k, caller, of, named)
            for of in (mine, theirs):
                lists__show(w, k, everywhere, of, lists, True)
        finally:
            w.again("worker")


# ---- a customer's own

def customer__orders_for_nobody_else_and_pays_the_price(w):
    svc, money = w.pb["order_service"], w.pb["money"]
    with Keyed(w) as k:
        ada, bob = (known(k, k.create(name, "customer", customer=name)[1]) for name in ("ada", "bob"))
        placed = place(k, ada, "mug", "")
        assert w.sql("SELECT customer FROM orders WHERE id = '%s'" % placed) == [("ada",)]
        answer = k.call(ada, "OrderService", "PlaceOrder", w.order_request(customer="ada"))
        assert answer.order.customer == "ada"
        assert k.call(ada, "OrderService", "PlaceOrder", w.order_request(customer="", validate_only=True)).order.customer == "ada"
        for request, field in ((w.order_request(customer="bob"), "customer"), (w.order_request(customer="Ada"), "customer")):
            status, _, _, fields = k.refusal(ada, "OrderService", "PlaceOrder", request)
            assert (status, [*fields]) == ("INVALID_ARGUMENT", [field]), (status, fields)
        cheap = w.order_request(customer="ada")
        cheap.lines[0].unit_price.CopyFrom(money.Money(currency_code="EUR", amount_minor=1))
        status, _, _, fields = k.refusal(ada, "OrderService", "PlaceOrder", cheap)
        assert (status, [*fields]) == ("INVALID_ARGUMENT", ["lines[0].unit_price"]), (status, fields)
        status, _, _, fields = k.refusal(ada, "OrderService", "ListOrders", svc.ListOrdersRequest(customer="bob"))
        assert (status, [*fields]) == ("INVALID_ARGUMENT", ["customer"])
        assert w.number("SELECT count(*) FROM orders WHERE customer IN ('ada', 'bob')") == 2
        # A parcel is where it is, and what it cost to send is the shop's.
        w.until(lambda: w.state(placed) == "completed", "delivery")
        shipment = k.call(ada, "OrderService", "GetOrder", svc.GetOrderRequest(order_id=placed)).order.groups[0].shipment_id
        request = w.pb["shipping_service"].GetShipmentRequest(shipment_id=shipment)
        seen = k.call(ada, "ShippingService", "GetShipment", request).shipment
        whole = k.call(k.root, "ShippingService", "GetShipment", request).shipment
        assert seen.scans and not seen.rates and not seen.labels and not seen.HasField("rate"), seen
        assert whole.rates and whole.labels and whole.HasField("rate") and whole.tracking_code == seen.tracking_code, whole
        assert k.refusal(bob, "ShippingService", "GetShipment", request)[0] == "NOT_FOUND"


def request_ids_of_customers__are_apart(w):
    with Keyed(w) as k:
        furnish(k, k.root, "ids")  # at a location that waits, where an order may be cancelled
        ada, bob = (known(k, k.create(name + "-2", "customer", customer=name + "-2")[1]) for name in ("ada", "bob"))
        request = w.order_request(lines=[("ids-of-hall", 1)], customer="", request_id="r" * 128)
        first = k.call(ada, "OrderService", "PlaceOrder", request).order
        assert k.call(ada, "OrderService", "PlaceOrder", request).order.order_id == first.order_id, "asked again"
        other = k.call(bob, "OrderService", "PlaceOrder", request).order
        assert (first.customer, other.customer) == ("ada-2", "bob-2") and first.order_id != other.order_id
        request.customer = "ada-2"  # the tenant's own ids are apart as well
        assert k.call(k.root, "OrderService", "PlaceOrder", request).order.order_id not in (first.order_id, other.order_id)
        longest = known(k, k.create("long", "customer", customer="c" * 128)[1])
        assert k.call(longest, "OrderService", "PlaceOrder", w.order_request(customer="", request_id="r" * 128)).order.customer == "c" * 128
        svc = w.pb["order_service"]
        cancel = svc.CancelOrderRequest(order_id=first.order_id, request_id="mine")
        assert k.refusal(bob, "OrderService", "CancelOrder", cancel)[0] == "NOT_FOUND"
        assert [k.call(ada, "OrderService", "CancelOrder", cancel).order.order_id for _ in range(2)] == [first.order_id] * 2
        assert k.refusal(bob, "OrderService", "CancelOrder", cancel)[0] == "NOT_FOUND", "though it was asked before, by somebody else"


run(every_method__has_a_row_and_a_story, role__calls_what_its_row_says_and_nothing_else, scope__narrows_a_credential_to_its_calls,
    key__has_no_more_scopes_than_its_maker, operator__is_the_tenant_that_the_settings_name, customer__orders_for_nobody_else_and_pays_the_price,
    request_ids_of_customers__are_apart, other_tenant__is_as_if_it_were_not_there, other_customer__is_as_if_it_were_not_there,
    other_location__is_as_if_it_were_not_there)
