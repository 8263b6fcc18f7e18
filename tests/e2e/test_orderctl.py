"""orderctl, command by command: what it prints for people and for programs, and how it ends."""
import datetime
import json
import os
import re
import socket
import subprocess
import uuid

from google.protobuf import json_format

from world import run

NOWHERE = "127.0.0.1:1"
TO = ("--customer", "ctl", "--payment-method", "pm_card_visa", "--name", "Ada Example", "--street", "Ring 1",
      "--city", "Hamburg", "--postal-code", "20095", "--country", "DE")


def ctl(w, *args, server=None, stdin=""):
    """(exit code, stdout, stderr)"""
    env = {"PATH": os.environ["PATH"], "ORDERD_SERVER": server or w.env["GRPC"]}
    done = subprocess.run([os.path.join(w.env["DATA"], "bin", "orderctl"), *args], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, input=stdin)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def says(w, *args, **more):
    """stdout of a command that must succeed, in silence."""
    code, out, err = ctl(w, *args, **more)
    assert (code, err) == (0, ""), (args, code, out, err)
    return out


def says_json(w, response, *args, **more):
    """The same as a message: Python's JSON mapping of protobuf is the judge of ours."""
    out = says(w, "--json", *args, **more)
    assert out.endswith("\n") and out.count("\n") == 1, out
    return json_format.ParseDict(json.loads(out), response)


def place(w, *args):
    """An order placed by orderctl; its id."""
    return json.loads(says(w, "place", "--json", *TO, *args))["order"]["order_id"]


def wrong_usage__ends_with_2_before_anybody_is_asked(w):
    order = "01890000-0000-7000-8000-000000000000"
    for args, word in (
            ((), ""),
            (("frobnicate",), "frobnicate"),
            (("stock",), "stock"),
            (("stock", "frobnicate", "mug"), "stock"),
            (("place", "mug=1"), "--customer"),
            (("place", *TO[2:], "mug=1"), "--customer"),
            (("place", *TO), "SKU=QTY"),
            (("list", "--limit", "0"), "--limit"),
            (("list", "--placed-after", "yesterday"), "yesterday"),
            (("list", "--placed-before", "2026-02-30T00:00:00Z"), "2026-02-30"),
            (("stock", "movements"), "--sku"),
            (("place", *TO, "mug"), "mug"),
            (("place", *TO, "mug=two"), "two"),
            (("place", *TO, "mug="), "quantity"),
            (("place", *TO, "mug=99999999999999999999"), "99999999999999999999"),
            (("place", *TO, "mug=1@1290"), "1290"),
            (("place", *TO, "--customers", "x", "mug=1"), "--customers"),
            (("place", *TO, "--custom", "x", "mug=1"), "--custom"),
            (("place", *TO, "--validate-only=no", "mug=1"), "--validate-only"),
            (("get",), "id"),
            (("get", order, order), order),
            (("get", "--event", order), "--event"),
            (("status", "--events", order), "--events"),
            (("list", "--customer"), "--customer"),
            (("list", "bob"), "bob"),
            (("list", "--page-size", "x"), "x"),
            (("list", "--page-size", "4294967297"), "4294967297"),
            (("label",), "--out"),
            (("label", "--out", "x.pdf"), "id"),
            (("label", "--out", "x", order), "--format"),
            (("label", "--out", "-", order), "--format"),
            (("label", "--out", "x.doc", order), "x.doc"),
            (("label", "--out", "x.pdf", "--format", "gif", order), "gif"),
            (("label", "--json", "--out", "-", "--format", "pdf", order), "--json"),
            (("watch",), "id"),
            (("watch", "--after", "x", order), "x"),
            (("watch", "--after"), "--after"),
            (("watch", "--all", order), order),
            (("watch", "--all", "--after", "1"), "--after"),
            (("watch", "--resume", "x", order), "--resume"),
            (("shipment",), "id"),
            (("shipment", order, order), order),
            (("void",), "id"),
            (("void", "--why", "x", order), "--why"),
            (("handover", "--site", "dock", order), "--report"),
            (("handover", "--report", "1", order), "--site"),
            (("handover", "--site", "dock", "--report", "1"), "id"),
            (("cancel",), "id"),
            (("cancel", order, order), order),
            (("item", "put", "--title", "T", "--price", "1", "--currency", "EUR", "--weight", "4294967297", "s"), "--weight"),
            (("item", "put", "--title", "T", "--price", "1.50", "--currency", "EUR", "--weight", "1", "s"), "1.50"),
            (("location", "create", "X"), "--name"),
            (("stock", "receive", "mug=1"), "--location"),
            (("stock", "adjust", "--location", "BER1", "--by", "1", "--reason", "r", "--kind", "theft", "mug"), "theft"),
            (("stock", "show"), "SKU"),
            (("fulfillment", "--state", "done"), "--state"),
            (("pick", "--site", "s", order), "--report"),
            (("pick", "--report", "r", order), "--site"),
            (("pick", "--site", "s", "--report", "r"), "id"),
            (("pick", "--site", "s", "--report", "r", order, "1"), "LINE=QUANTITY"),
            (("pick", "--site", "s", "--report", "r", order, "1=x"), "x"),
            (("pack", "--site", "s", "--report", "r", "--weight", "x", order), "x"),
            (("pack", "--site", "s", "--report", "r", order, "1=1"), "1=1"),
            (("list", "--deadline", "0"), "--deadline"),
            (("list", "--deadline", "99999999999"), "99999999999"),
            (("list",) + ("x",) * 100, "too many")):
        code, out, err = ctl(w, *args, server=NOWHERE)
        assert code == 2 and word in (out if args == () else err), (args, code, out, err)
        assert args == () or (out == "" and err.startswith("orderctl: ")), (args, out, err)


def catalogue__is_written_and_shown(w):
    put = ("item", "put", "--title", "A tea cup", "--price", "750", "--currency", "EUR", "--weight", "120", "cup")
    assert says(w, *put) == "written\n"
    assert says_json(w, w.pb["inventory_service"].UpsertItemsResponse(), *put).items == 1
    at = ("--name", "Depot", "--street", "Kai 2", "--city", "Kiel", "--postal-code", "24103", "--country", "DE")
    assert says(w, "location", "create", *at, "--priority", "7", "KIEL") == "created\n"
    location = says_json(w, w.pb["inventory_service"].CreateLocationResponse(), "location", "create", *at, "--priority", "7",
                         "KIEL").location
    assert (location.code, location.priority, location.address.city) == ("KIEL", 7, "Kiel")
    code, out, err = ctl(w, "location", "create", *at, "--priority", "8", "KIEL")
    assert (code, out) == (1, "") and "ALREADY_EXISTS" in err, (code, out, err)


def stock__is_received_adjusted_and_shown(w):
    request = str(uuid.uuid4())
    for _ in range(2):  # with its request_id the second one changes nothing
        assert says(w, "stock", "receive", "--location", "KIEL", "--reference", "LS 9", "--request-id", request,
                    "cup=40") == "received\n"
    assert says(w, "stock", "adjust", "--location", "KIEL", "--by", "-3", "--reason", "broken", "cup") == "adjusted\n"
    assert says(w, "stock", "adjust", "--location", "KIEL", "--by=5", "--reason", "quarantine", "--kind", "unavailable",
                "cup") == "adjusted\n"
    head, row = says(w, "stock", "show", "cup").splitlines()
    assert head.split() == ["SKU", "LOCATION", "ON", "HAND", "RESERVED", "ALLOCATED", "UNAVAILABLE", "AVAILABLE"]
    assert row.split() == ["cup", "KIEL", "37", "0", "0", "5", "32"]
    inv = w.pb["inventory_service"]
    shown = says_json(w, inv.GetAvailabilityResponse(), "stock", "show", "cup", "mug")
    assert shown == w.call("InventoryService", "GetAvailability", inv.GetAvailabilityRequest(skus=["cup", "mug"]))
    assert says(w, "--json", "stock", "receive", "--location", "KIEL", "cup=1") == "{}\n"
    assert says(w, "--json", "stock", "adjust", "--location", "KIEL", "--by", "-1", "--reason", "r", "cup") == "{}\n"
    assert says(w, "item", "put", "--title", "T", "--price", "1", "--currency", "EUR", "--weight", "1", "ghost") == "written\n"
    assert says(w, "stock", "show", "ghost").splitlines()[1].split() == ["ghost", "nowhere", "0", "0", "0", "0", "0"]


def movements__are_the_ledger_of_an_item_a_place_and_an_order(w):
    head, *rows = says(w, "stock", "movements", "--sku", "cup", "--location", "KIEL").splitlines()
    assert head.split() == ["AT", "SKU", "LOCATION", "QUANTITY", "FROM", "TO", "ORDER", "LINE", "CAUSE"]
    assert [row.split()[1:8] for row in rows] == [
        ["cup", "KIEL", "1", "on_hand", "outside", "-", "-"], ["cup", "KIEL", "1", "outside", "on_hand", "-", "-"],
        ["cup", "KIEL", "5", "on_hand", "unavailable", "-", "-"], ["cup", "KIEL", "3", "on_hand", "outside", "-", "-"],
        ["cup", "KIEL", "40", "outside", "on_hand", "-", "-"]], rows
    inv = w.pb["inventory_service"]
    listed = says_json(w, inv.ListStockMovementsResponse(), "stock", "movements", "--sku", "cup")
    assert listed == w.call("InventoryService", "ListStockMovements", inv.ListStockMovementsRequest(sku="cup"))
    order = place(w, "cup=1")
    row = says(w, "stock", "movements", "--order", order).splitlines()[-1].split()
    assert row[6:8] == [order, "1"] and row[5] == "reserved", row


def fields(out):
    """{name: value} of the first block."""
    return dict(re.split(r"  +", line, 1) for line in out.split("\n\n")[0].splitlines())


def table(out, n):
    """The rows of the n-th block, cells parted."""
    return [re.split(r"  +", line.strip()) for line in out.rstrip("\n").split("\n\n")[n].splitlines()]


TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def order__is_placed_and_told_for_people(w):
    out = says(w, "place", *TO, "--channel", "phone", "--reference", "PO 1", "cup=2", "mug=1")
    shown = fields(out)
    order, number = shown["Order"], shown["Number"]
    assert re.fullmatch(TIME, shown.pop("Placed")) and re.fullmatch(TIME, shown.pop("Expires")), out
    assert shown == {"Order": order, "Number": number, "State": "PENDING", "Payment": "PENDING", "Fulfillment": "UNFULFILLED",
                     "Total": "27.90 EUR", "Customer": "ctl", "Channel": "phone", "Reference": "PO 1", "Version": "1",
                     "Ship to": "Ada Example, Ring 1, 20095 Hamburg, DE"}, out
    assert table(out, 1) == [["LINE", "SKU", "TITLE", "QUANTITY", "PRICE", "WHERE"], ["1", "cup", "A tea cup", "2", "7.50 EUR", "reserved 2"],
                             ["2", "mug", "A mug", "1", "12.90 EUR", "reserved 1"]], out
    groups = table(out, 2)
    assert groups[0] == ["GROUP", "LOCATION", "AMOUNT", "PAYMENT", "PARCEL", "CARRIER", "TRACKING", "NOTE"] and len(groups) > 1, out
    assert all(row[3:] == ["PENDING", "-", "-", "-", "-"] for row in groups[1:]), out
    assert not re.search(r" $", out, re.M), "blanks at the end of a line"
    w.until(lambda: says(w, "status", order) == "%s COMPLETED CAPTURED DELIVERED\n" % number, "delivery")
    out = says(w, "get", order)
    assert [fields(out)[f] for f in ("State", "Payment", "Fulfillment")] == ["COMPLETED", "CAPTURED", "DELIVERED"], out
    assert "delivered 2" in out and " delivered " in out and " placed " not in out and "Expires" not in out, out
    out = says(w, "get", "--events", order)
    for kind in ("placed", "payment_authorized", "label_bought", "payment_captured", "shipped", "completed"):
        assert re.search(r"^ +\d+  %s  %s " % (TIME, kind), out, re.M), (kind, out)
    parcels = w.get(order).order.groups
    assert [row[:4] for row in table(says(w, "shipments", order), 0)[1:]] == [
        [str(g.group), g.shipment_id, g.location, "delivered"] for g in parcels]
    shown = says_json(w, w.pb["order_service"].GetOrderResponse(), "shipments", order)
    assert shown.order.groups == parcels


def order__is_told_for_programs_as_the_contract_has_it(w):
    svc = w.pb["order_service"]
    request = str(uuid.uuid4())
    placed = says_json(w, svc.PlaceOrderResponse(), "place", *TO, "--request-id", request, "--email", "ada@example.org",
                       "--phone", "+49 40 1", "--region", "HH", "cup=1")
    order = placed.order.order_id
    assert placed.order.ship_to.email == "ada@example.org" and placed.order.ship_to.region == "HH", placed
    again = says_json(w, svc.PlaceOrderResponse(), "place", *TO, "--request-id", request, "--email", "ada@example.org",
                      "--phone", "+49 40 1", "--region", "HH", "cup=1")
    assert again.order.order_id == order
    w.until(lambda: w.state(order) == "completed", "delivery")
    assert says_json(w, svc.GetOrderResponse(), "get", "--events", order) == w.get(order, with_events=True)
    assert says_json(w, svc.GetOrderStatusResponse(), "status", order) == w.call(
        "OrderService", "GetOrderStatus", svc.GetOrderStatusRequest(order_id=order))


def label__goes_to_a_file_or_to_stdout(w):
    order = place(w, "cup=1")
    w.until(lambda: w.state(order) == "completed", "delivery")
    group = w.get(order).order.groups[0]
    parcel, tracking = group.shipment_id, group.tracking_code
    request = w.pb["shipping_service"].GetLabelRequest(shipment_id=parcel)
    pdf = w.call("ShippingService", "GetLabel", request)
    file = os.path.join(w.scratch, "label.PDF")
    for name, args in ((file + ".pdf", ()), (file, ("--format", "pdf"))):
        out = says(w, "label", parcel, "--out", name, *args)
        assert out.startswith("%s: application/pdf, %d bytes, tracking %s" % (name, len(pdf.content), tracking)), out
        with open(name, "rb") as f:
            assert f.read() == pdf.content
    answer = says_json(w, w.pb["shipping_service"].GetLabelResponse(), "label", parcel, "--out", file + ".png")
    assert (answer.media_type, answer.tracking_code, answer.content) == ("image/png", tracking, b""), answer
    assert says(w, "label", parcel, "--out", "-", "--format", "zpl").startswith("^XA")
    code, out, err = ctl(w, "label", parcel, "--out", os.path.join(w.scratch, "no", "such", "folder.pdf"))
    assert (code, out) == (1, "") and "No such file" in err, (code, out, err)
    for what in ("png", "zpl"):  # much, and so little that only closing the file tells
        code, out, err = ctl(w, "label", parcel, "--out", "/dev/full", "--format", what)
        assert (code, out) == (1, "") and "No space" in err, (code, out, err)
    code, out, err = ctl(w, "label", order, "--out", os.path.join(w.scratch, "none.pdf"))
    assert (code, out) == (4, "") and "orderctl shipments ORDER" in err and "NOT_FOUND" in err, (code, out, err)
    assert not os.path.exists(os.path.join(w.scratch, "none.pdf"))


def parcel__is_shown_and_what_cannot_be_done_with_it_is_said(w):
    order = place(w, "cup=1")
    w.until(lambda: w.state(order) == "completed", "delivery")
    ship = w.pb["shipping_service"]
    parcel = w.get(order).order.groups[0].shipment_id
    shown = says_json(w, ship.GetShipmentResponse(), "shipment", parcel)
    assert shown == w.call("ShippingService", "GetShipment", ship.GetShipmentRequest(shipment_id=parcel)), shown
    out = says(w, "shipment", parcel)
    facts = fields(out)
    assert (facts["Shipment"], facts["Order"], facts["State"], facts["Seen"], facts["Group"]) == (
        parcel, order, "delivered", "delivered", "1"), out
    labels, rates, scans = table(out, 1), table(out, 2), table(out, 3)
    assert re.fullmatch(r"94001\d{17} USPS GroundAdvantage \S+ USD %s -" % TIME, " ".join(labels[1])), out
    assert re.fullmatch(r"bought USPS GroundAdvantage \d\.\d\d USD 5", " ".join(rates[1])), out
    assert any(re.fullmatch(r"offered USPS Express \d+\.\d\d USD 1", " ".join(row)) for row in rates), out
    assert ["delivered", "arrived_at_destination", "carrier", "Hamburg", "Delivered"] in [row[1:] for row in scans], out
    code, out, err = ctl(w, "void", "--reason", "torn", parcel)
    assert (code, out) == (1, "") and "NOT_VOIDABLE" in err, (code, out, err)
    for _ in range(2):
        assert says(w, "handover", "--site", "dock", "--report", "truck 1", parcel) == "1 confirmed\n"
    assert says(w, "--json", "handover", "--site", "dock", "--report", "truck 2", parcel) == "{}\n"
    code, out, err = ctl(w, "shipment", order)
    assert (code, out) == (4, "") and "NOT_FOUND" in err, (code, out, err)


def money__has_as_many_places_as_its_currency(w):
    for sku, currency, price, shown in (("yen", "JPY", "1999", "1999 JPY"), ("dinar", "KWD", "1999", "1.999 KWD"),
                                        ("cent", "USD", "5", "0.05 USD")):
        says(w, "item", "put", "--title", sku, "--price", price, "--currency", currency, "--weight", "1", sku)
        says(w, "stock", "receive", "--location", "KIEL", sku + "=1")
        assert fields(says(w, "place", "--validate-only", *TO, sku + "=1"))["Total"] == shown
    assert fields(says(w, "place", "--validate-only", *TO, "cup=2@100 EUR"))["Total"] == "2.00 EUR"
    assert json.loads(says(w, "list", "--customer", "nobody", "--json"))["orders"] == []


def list__is_one_page_or_so_many_rows_or_all(w):
    mine = [place(w, "--customer", "pages", "cup=1") for _ in range(5)][::-1]
    ask = ("list", "--customer", "pages")
    for args, ids, more in (((), mine, False), (("--page-size", "2"), mine[:2], True), (("--limit", "3"), mine[:3], True),
                            (("--limit", "3", "--page-size", "2"), mine[:3], True), (("--limit", "5"), mine, False),
                            (("--all", "--page-size", "2"), mine, False), (("--all",), mine, False)):
        code, out, err = ctl(w, *ask, *args)
        head, *rows = out.splitlines()
        assert head.split() == ["NUMBER", "ID", "STATE", "PAYMENT", "FULFILLMENT", "TOTAL", "PLACED"], out
        assert code == 0 and [row.split()[1] for row in rows] == ids, (args, out)
        found = re.fullmatch(r"orderctl: there are more: --all, or --page-token (\S+)\n", err)
        assert bool(found) == more and (more or err == ""), (args, err)
        if more:
            rest = says(w, *ask, "--page-token", found.group(1)).splitlines()[1:]
            assert [row.split()[1] for row in rest] == mine[len(ids):], (args, rest)
    answers = [json.loads(line) for line in says(w, "--json", *ask, "--all", "--page-size", "2").splitlines()]
    assert [[o["order_id"] for o in answer["orders"]] for answer in answers] == [mine[:2], mine[2:4], mine[4:]]
    listed = says_json(w, w.pb["order_service"].ListOrdersResponse(), *ask)
    assert [o.order_id for o in listed.orders] == mine and listed.next_page_token == ""
    placed = datetime.datetime.fromtimestamp(int(mine[2].replace("-", "")[:12], 16) / 1000, datetime.timezone.utc)
    placed = placed.isoformat(timespec="milliseconds").replace("+00:00", "Z")  # an id begins with its time
    assert [row.split()[1] for row in says(w, *ask, "--placed-after", placed).splitlines()[1:]] == mine[:3]
    assert [row.split()[1] for row in says(w, *ask, "--placed-before", placed.replace("Z", "+00:00")).splitlines()[1:]] == mine[3:]


def order__is_placed_from_json_as_the_contract_spells_it(w):
    svc = w.pb["order_service"]
    request = w.order_request(lines=[("cup", 2), ("mug", 1)], customer="ctl", reference="J 1", channel="phone",
                              fallback_payment_methods=["pm_card_visa"], expected_total={"currency_code": "EUR", "amount_minor": 2790})
    file = os.path.join(w.scratch, "order.json")
    first = None
    for names in (True, False):  # ship_to, shipTo
        with open(file, "w") as f:
            f.write(json_format.MessageToJson(request, preserving_proto_field_name=names))
        for source, text in ((file, None), ("-", open(file).read())):
            placed = says_json(w, svc.PlaceOrderResponse(), "place", "--file", source, stdin=text).order
            first = first or placed.order_id
            assert (placed.order_id, placed.reference, placed.channel) == (first, "J 1", "phone"), placed
    order = {"customer": "ctl", "payment_method": "pm_card_visa", "lines": [{"sku": "cup", "quantity": 1.0}], "reference": None,
             "ship_to": {"name": "N", "street": "S", "city": "C", "postal_code": "P", "country_code": "DE"}}
    code, out, err = ctl(w, "place", "--file", "-", "--deadline", "300", server=NOWHERE, stdin=json.dumps(order))
    again, = re.search(r"--request-id (\S+)\n", err).groups()
    ids = {fields(says(w, "place", "--file", "-", "--request-id", again, stdin=json.dumps(order)))["Order"] for _ in range(2)}
    assert code == 3 and len(ids) == 1, (code, out, err, ids)
    for wrong, words in (
            (dict(order, custmer="x"), "custmer: there is no such field; did you mean customer?"),
            (dict(order, lines=[{"sku": "cup", "quantity": "two"}]), "lines[0].quantity: a whole number is wanted, not two"),
            (dict(order, lines=[{"sku": "cup", "quantity": 1.5}]), "lines[0].quantity: a whole number is wanted"),
            (dict(order, lines={}), "lines: a list is wanted, not an object"),
            (dict(order, wait_for_payment="yes"), "wait_for_payment: true or false is wanted"),
            (dict(order, shipTo={}), "ship_to: it is given twice"),
            ([], "an object is wanted, not a list")):
        code, out, err = ctl(w, "place", "--file", "-", server=NOWHERE, stdin=json.dumps(wrong))
        assert (code, out) == (1, "") and "INVALID_JSON" in err and words in err, (wrong, code, out, err)
    code, out, err = ctl(w, "place", "--file", "-", server=NOWHERE, stdin='{"customer": "a",\n "customer": "b"}')
    assert code == 1 and "line 2" in err and "duplicate" in err, (code, out, err)
    code, out, err = ctl(w, "place", "--file", os.path.join(w.scratch, "none"), server=NOWHERE)
    assert (code, out) == (1, "") and "none: No such file" in err, (code, out, err)
    code, out, err = ctl(w, "place", "--file", "-", server=NOWHERE, stdin=" " * (4 << 20) + "{}")
    assert code == 1 and "longer than" in err, (code, out, err)
    with open(file, "w") as f:
        f.write(json.dumps(dict(order, request_id="own")))
    code, out, err = ctl(w, "place", "--file", file, "--request-id", "other", server=NOWHERE)
    assert code == 2 and "--request-id" in err, (code, out, err)


def many_orders__are_placed_once_however_often_their_file_is_run(w):
    def line(**more):
        return json.dumps(dict({"customer": "many", "payment_method": "pm_card_visa", "lines": [{"sku": "cup", "quantity": 1}],
                                "ship_to": {"name": "N", "street": "S", "city": "C", "postal_code": "P", "country_code": "DE"}},
                               **more))
    good = [line(), line(), line(reference="x"), line(request_id="many-own")]  # two alike are two orders
    many = ("place", "--many", "--file", "-", "--batch", "monday")
    count = lambda: w.number("SELECT count(*) FROM orders WHERE customer = 'many'")  # noqa: E731
    lines = [good[0], "", good[1], line(lines=[{"sku": "nothing-like-it", "quantity": 1}]), '{"customer": 7}', "{", good[2], good[3]]
    code, out, err = ctl(w, *many, stdin="\n".join(lines))
    results = [re.split(r"  +", row.strip()) for row in out.splitlines()]
    assert code == 1 and [row[:2] for row in results] == [
        ["1", "placed"], ["3", "placed"], ["4", "refused"], ["5", "refused"], ["6", "refused"], ["7", "placed"], ["8", "placed"]], out
    assert "UNKNOWN_ITEM" in out and "lines[0].sku: no such item" in out and "customer: a text is wanted" in out and "column" in out, out
    assert "4 placed, 3 refused" in err and count() == 4, err
    ids = {row[2] for row in results if row[1] == "placed"}
    # Again, corrected, in another order of fields and with one more in front: what is new is placed, and nothing twice.
    lines[3] = line(reference="corrected")
    again = [line(reference="new")] + [json.dumps(dict(reversed(json.loads(text).items()))) for text in lines if len(text) > 20]
    out = says(w, "--json", *many, stdin="\n".join(again))
    answers = [json.loads(row) for row in out.splitlines()]
    assert len(answers) == 6 and count() == 6 and ids < {a["order"]["order_id"] for a in answers}, out
    assert answers[-1]["request_id"] == "many-own" and [a["line"] for a in answers] == [1, 2, 3, 4, 5, 6], answers
    assert len({a["request_id"] for a in answers}) == 6 and answers[0]["request_id"].startswith("monday-"), answers
    says(w, *many[:-1], "tuesday", stdin=line())
    assert count() == 7, "the same line in another batch is another order"
    code, out, err = ctl(w, "place", "--many", "--file", "-", stdin=line())
    assert code == 1 and "--batch" in out and count() == 7, (code, out, err)
    says(w, "place", "--many", "--file", "-", "--validate-only", "--batch", "dry", stdin=line())
    assert count() == 7


def many_orders__end_where_the_server_went_and_go_on_there(w):
    text = "".join(json.dumps({"customer": "broken", "payment_method": "pm_card_visa", "reference": str(i),
                               "lines": [{"sku": "mug", "quantity": 1}], "ship_to": {
                                   "name": "N", "street": "S", "city": "C", "postal_code": "P", "country_code": "DE"}}) + "\n"
                   for i in range(40))
    args = ("place", "--many", "--file", "-", "--batch", "broken", "--deadline", "5000")
    env = {"PATH": os.environ["PATH"], "ORDERD_SERVER": w.env["GRPC"]}
    with subprocess.Popen([os.path.join(w.env["DATA"], "bin", "orderctl"), *args], env=env, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        head, tail = text[:text.index("\n") + 1], text[text.index("\n") + 1:]
        p.stdin.write(head)
        p.stdin.flush()
        assert " placed " in p.stdout.readline()
        w.kill("orderd")
        w.until(lambda: w.servers("kill", w.dir, "orderd", "0", check=False).returncode != 0, "its end")
        out, err = p.communicate(tail, timeout=60)
    assert p.returncode == 3 and out.count("\n") == 1 and "     2  unknown " in out, (p.returncode, out, err)
    assert "ended at line 2" in err and w.env["GRPC"] in err, err
    w.again("orderd")
    for _ in range(2):
        assert says(w, *args[:-1], "20000", stdin=text).count(" placed ") == 40
    assert w.number("SELECT count(*) FROM orders WHERE customer = 'broken'") == 40


def picks_and_packs__are_confirmed(w):
    at = ("--name", "Hall", "--street", "Kai 3", "--city", "Kiel", "--postal-code", "24103", "--country", "DE")
    assert says(w, "location", "create", *at, "--priority", "0", "--manual", "HALL") == "created\n"
    code, _, err = ctl(w, "location", "create", *at, "--priority", "0", "HALL")
    assert code == 1 and "ALREADY_EXISTS" in err, err
    says(w, "item", "put", "--title", "A tray", "--price", "900", "--currency", "EUR", "--weight", "400", "tray")
    says(w, "stock", "receive", "--location", "HALL", "tray=3")
    order = place(w, "tray=3")
    w.until(lambda: len(table(says(w, "fulfillment", "--location", "HALL"), 0)) > 1, "the work")
    head, row = table(says(w, "fulfillment", "--location", "HALL", "--state", "OPEN"), 0)
    assert head == ["FULFILLMENT ORDER", "STATE", "LOCATION", "ORDER", "GROUP", "LINE", "SKU", "QUANTITY", "PICKED", "TITLE", "HELD FOR"]
    work, number = row[0], row[3]
    assert row == [work, "OPEN", "HALL", number, "1", "1", "tray", "3", "0", "A tray", "-"], row
    svc = w.pb["fulfillment_service"]
    listed = says_json(w, svc.ListFulfillmentOrdersResponse(), "fulfillment", "--order", order)
    assert listed == w.call("FulfillmentService", "ListFulfillmentOrders", svc.ListFulfillmentOrdersRequest(order_id=order))
    report = ("--site", "hall", "--report", "r-1", work)
    row = table(says(w, "pick", *report, "1=2"), 0)[1]
    assert row[1] == "PICKED" and row[5:9] == ["1", "tray", "2", "2"], row
    picked = says_json(w, svc.ConfirmPickResponse(), "pick", *report, "1=2").fulfillment_order
    assert [(l.quantity, l.picked) for l in picked.lines] == [(2, 2)]
    w.until(lambda: "HELD FOR" in says(w, "get", order), "the hold")
    assert re.search(r"^inventory +- +%s +units missing: 1$" % TIME, says(w, "get", order), re.M)
    assert fields(says(w, "get", order))["Fulfillment"] == "BACKORDERED"
    assert table(says(w, "fulfillment", "--order", order), 0)[1][-1] == "inventory"
    assert " PACKED " in says(w, "pack", *report, "--weight", "900")
    code, out, err = ctl(w, "pack", *report[:3], "r-2", work)
    assert (code, out) == (1, "") and "NOT_PACKABLE" in err and "state = " in err, (code, out, err)
    code, out, err = ctl(w, "pack", *report, "--deadline", "300", server=NOWHERE)
    assert code == 3 and "--report r-1" in err, (code, out, err)
    parcel = w.get(order).order.groups[0].shipment_id
    w.until(lambda: ctl(w, "handover", "--site", "dock", "--report", "d-1", parcel)[0] == 0, "the hand-over")
    says(w, "stock", "receive", "--location", "KIEL", "tray=1")
    w.until(lambda: w.state(order) == "completed", "delivery")


def cancel__says_what_it_came_to(w):
    w.fault(path="/v1/payment_intents", fault="slow", count=2, ms=4000)
    first, second = place(w, "cup=1"), place(w, "cup=1")
    out = says(w, "cancel", "--reason", "changed my mind", first)
    assert fields(out)["State"] in ("CANCELLING", "CANCELLED") and " cancelled 1" in out, out
    answer = says_json(w, w.pb["order_service"].CancelOrderResponse(), "cancel", second)
    assert answer.order.order_id == second and answer.order.state in (3, 5), answer
    w.until(lambda: w.state(first) == w.state(second) == "cancelled", "cancellation")
    code, out, err = ctl(w, "cancel", "--etag", "1", first)
    assert (code, out) == (1, "") and err.startswith("orderctl: "), (code, out, err)


def watch__tells_each_event_as_it_comes_and_ends_with_the_order(w):
    order = place(w, "cup=1")
    lines = says(w, "watch", order).splitlines()
    told = says(w, "get", "--events", order).splitlines()
    assert lines == told[-len(lines):] and len(lines) > 8, (lines, told)
    assert re.fullmatch(r"   1  %s  placed +PENDING" % TIME, lines[0]), lines[0]
    assert lines[-1].split()[2] == "completed", lines[-1]
    assert says(w, "watch", "--after", "4", order).splitlines() == lines[4:]
    assert says(w, "watch", "--after=%d" % len(lines), order) == ""
    svc = w.pb["order_service"]
    messages = [json_format.ParseDict(json.loads(line), svc.WatchOrderResponse())
                for line in says(w, "--json", "watch", order).splitlines()]
    assert [m.event for m in messages] == list(w.get(order, with_events=True).events)
    assert all(m.sequence == m.event.sequence and m.WhichOneof("what") == "event" for m in messages)
    code, out, err = ctl(w, "watch", "--after", "1000", order)
    assert (code, out) == (1, "") and "after_sequence" in err, (code, out, err)
    code, out, err = ctl(w, "watch", "01890000-0000-7000-8000-000000000000")
    assert (code, out) == (4, "") and "NOT_FOUND" in err, (code, out, err)


def watch__goes_on_by_itself_when_its_server_was_killed(w):
    w.kill("worker")
    order = place(w, "cup=1")
    env = {"PATH": os.environ["PATH"], "ORDERD_SERVER": w.env["GRPC"]}
    with subprocess.Popen([os.path.join(w.env["DATA"], "bin", "orderctl"), "watch", "--deadline", "120000", order], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watch:
        try:
            lines = [watch.stdout.readline()]
            assert " placed " in lines[0], lines
            for signal in ("KILL", "TERM"):
                w.kill("orderd", signal)
                w.until(lambda: w.servers("kill", w.dir, "orderd", "0", check=False).returncode != 0, "its end")
                w.again("orderd")
            w.again("worker")
            out, err = watch.communicate(timeout=120)
        finally:
            watch.kill()
    assert (watch.returncode, err) == (0, ""), (watch.returncode, err)
    lines = "".join(lines + [out]).splitlines()
    assert lines == says(w, "get", "--events", order).splitlines()[-len(lines):], lines
    assert [int(line.split()[0]) for line in lines] == list(range(1, len(lines) + 1)), lines


def watch__ends_with_3_at_its_deadline(w):
    w.kill("worker")
    order = place(w, "cup=1")
    code, out, err = ctl(w, "watch", "--deadline", "4000", order)
    assert code == 3 and out.count("\n") == 1 and "repeat it with --after 1\n" in err, (code, out, err)
    code, out, err = ctl(w, "watch", "--deadline", "500", order, server=NOWHERE)
    assert (code, out) == (3, "") and err.startswith("orderctl: "), (code, out, err)
    w.again("worker")


def watch_all__tells_of_every_order_and_goes_on_with_its_token(w):
    env = {"PATH": os.environ["PATH"], "ORDERD_SERVER": w.env["GRPC"]}
    with subprocess.Popen([os.path.join(w.env["DATA"], "bin", "orderctl"), "--json", "watch", "--all", "--customer", "all-1"], env=env,
                          stdout=subprocess.PIPE, text=True) as watch:
        try:
            token = json.loads(watch.stdout.readline())["resume_token"]
            order = w.place(customer="all-1").order_id
            heard = []
            while not heard or heard[-1]["event"]["kind"] != "completed":
                heard += json.loads(watch.stdout.readline()).get("events", [])
        finally:
            watch.kill()
    assert {e["order_id"] for e in heard} == {order} and heard[0]["event"]["kind"] == "placed", heard
    # Until the deadline, then what to go on with; for people a line begins with the order's number and id.
    code, out, err = ctl(w, "watch", "--all", "--customer", "all-1", "--resume", token, "--deadline", "6000")
    told = says(w, "get", "--events", order).splitlines()
    assert code == 3 and "--resume " in err, (code, out, err)
    assert all(re.match(r"\d+  %s  " % order, line) for line in out.splitlines()), out
    lines = [line.split(order)[1][2:] for line in out.splitlines()]
    assert lines == told[-len(lines):] and len(lines) == len(heard), (lines, told)
    code, out, err = ctl(w, "watch", "--all", "--resume", token)
    assert (code, out) == (1, "") and "resume_token" in err, (code, out, err)


def payment__is_shown_and_tried_again_with_another_method(w):
    order = place(w, "--payment-method", "pm_card_chargeDeclined", "--wait-for-payment", "cup=1")
    w.until(lambda: " DECLINED " in says(w, "payments", order), "the decline")
    head, row = table(says(w, "payments", order), 0)
    assert head == ["ORDER", "GROUP", "STATE", "AMOUNT", "METHOD", "HELD UNTIL", "NOTE"]
    assert row == [order, "1", "DECLINED", "7.50 EUR", "pm_card_chargeDeclined", "-", "declined: generic_decline"], row
    assert order in says(w, "payments", "--state", "declined", "--all")
    answer = says_json(w, w.pb["payment_service"].RetryPaymentResponse(), "pay", "--payment-method", "pm_card_chargeDeclined",
                       "--fallback", "pm_card_visa", order)
    assert [p.order_id for p in answer.payments] == [order], answer
    w.until(lambda: w.state(order) == "completed", "delivery")
    one = says_json(w, w.pb["payment_service"].GetPaymentResponse(), "payment", order).payment
    assert [a.state for a in one.attempts] == ["declined", "declined", "captured"], one
    out = says(w, "payment", "--group", "1", order)
    assert fields(out)["State"] == "CAPTURED" and fields(out)["Captured"] == "7.50 EUR", out
    assert [row[:2] for row in table(out, 1)[1:]] == [["1", "declined"], ["2", "declined"], ["3", "captured"]], out
    assert [row[0] for row in table(out, 2)[1:]] == ["authorize", "capture"], out
    code, out, err = ctl(w, "pay", "--payment-method", "pm_card_visa", order)
    assert (code, out) == (1, "") and "PAYMENT_NOT_DECLINED" in err, (code, out, err)
    for args, word in ((("payments",), "--state"), (("payments", "--state", "rich"), "rich"), (("pay", order), "payment-method")):
        code, out, err = ctl(w, *args, server=NOWHERE)
        assert (code, out) == (2, "") and word in err, (args, code, out, err)


def refusal__ends_with_1_and_says_why(w):
    code, out, err = ctl(w, "place", *TO, "nothing-like-it=1")
    assert (code, out) == (1, "") and "UNKNOWN_ITEM" in err and "lines[0].sku" in err, (code, out, err)
    code, out, err = ctl(w, "place", *TO, "cup=100000")
    assert (code, out) == (1, "") and "OUT_OF_STOCK" in err and "sku = cup" in err, (code, out, err)
    code, out, err = ctl(w, "get", "01890000-0000-7000-8000-000000000000")
    assert (code, out) == (4, "") and "`orderctl list` finds them" in err, (code, out, err)
    code, out, err = ctl(w, "place", *TO, "--country", "de", "cup=1")
    assert code == 1 and "ship_to.country_code: " in err and "(--country)" in err, (code, out, err)
    code, out, err = ctl(w, "--json", "place", *TO, "--request-id", "r-1", "--country", "de", "cup=-1")
    error = json.loads(out)["error"]
    assert (code, err, error["status"], error["request_id"]) == (1, "", 3, "r-1"), (code, err, error)
    assert {v["field"] for v in error["violations"]} == {"ship_to.country_code", "lines[0].quantity"}, error


def server_away__ends_with_5_and_a_write_with_3_saying_how_to_repeat_it(w):
    code, out, err = ctl(w, "list", "--deadline", "500", server=NOWHERE)
    assert (code, out) == (5, "") and err.startswith("orderctl: ") and "request-id" not in err, (code, out, err)
    request = str(uuid.uuid4())
    again = ("place", *TO, "--customer", "again", "--deadline", "500", "cup=1")
    code, out, err = ctl(w, *again, server=NOWHERE)
    assert code == 3 and re.search(r"--request-id [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}\n", err), err
    code, out, err = ctl(w, "--json", *again, "--request-id", request, "--server", NOWHERE)
    assert (code, err, json.loads(out)["error"]["request_id"]) == (3, "", request), (code, out, err)
    for _ in range(2):
        says(w, *again[:-1], "--deadline", "20000", "--request-id", request, "cup=1")
    assert len(json.loads(says(w, "--json", "list", "--customer", "again"))["orders"]) == 1


def server_that_never_answers__ends_with_5_at_the_deadline(w):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        code, out, err = ctl(w, "list", "--deadline", "300", server="127.0.0.1:%d" % mute.getsockname()[1])
    assert (code, out) == (5, "") and err.startswith("orderctl: "), (code, out, err)


with socket.create_server(("127.0.0.1", 0)) as free:  # a server started again is found where it was
    os.environ["GRPC_PORT"] = str(free.getsockname()[1])
run(wrong_usage__ends_with_2_before_anybody_is_asked,
    catalogue__is_written_and_shown, stock__is_received_adjusted_and_shown,
    movements__are_the_ledger_of_an_item_a_place_and_an_order, order__is_placed_and_told_for_people,
    order__is_told_for_programs_as_the_contract_has_it, label__goes_to_a_file_or_to_stdout,
    parcel__is_shown_and_what_cannot_be_done_with_it_is_said, money__has_as_many_places_as_its_currency,
    list__is_one_page_or_so_many_rows_or_all, picks_and_packs__are_confirmed, cancel__says_what_it_came_to,
    payment__is_shown_and_tried_again_with_another_method,
    watch__tells_each_event_as_it_comes_and_ends_with_the_order, watch__goes_on_by_itself_when_its_server_was_killed,
    watch_all__tells_of_every_order_and_goes_on_with_its_token,
    order__is_placed_from_json_as_the_contract_spells_it, many_orders__are_placed_once_however_often_their_file_is_run,
    many_orders__end_where_the_server_went_and_go_on_there, watch__ends_with_3_at_its_deadline, refusal__ends_with_1_and_says_why,
    server_away__ends_with_5_and_a_write_with_3_saying_how_to_repeat_it, server_that_never_answers__ends_with_5_at_the_deadline)
