"""Labels of real parcels, printed and read by programs that are not ours: what the barcodes say is what the database holds."""
import os
import sys

from world import ROOT, details_of, run

import grpc

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import labels  # noqa: E402

FORMATS = {"pdf": 1, "png": 2, "zpl": 3}
MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png", "zpl": "application/zpl"}


def parcel(w, **ship_to):
    """The id of a labelled shipment, with an SSCC."""
    fields = dict(name="Zoë Łukasiewicz", street="Rynek 3", city="Kraków", postal_code="31-042", country_code="PL")
    order = w.place(ship_to=w.pb["place"].Address(**{**fields, **ship_to}), reference="PO ß-77")
    w.until(lambda: w.get(order.order_id).order.groups[0].tracking_code, "a label")
    shipment = w.get(order.order_id).order.groups[0].shipment_id
    w.sql("UPDATE shipment SET sscc = sscc18('03456789', nextval('sscc_serial')) WHERE id = '%s' AND sscc IS NULL" % shipment)
    return shipment


def request(w, shipment, what="pdf"):
    return w.pb["shipping_service"].GetLabelRequest(shipment_id=shipment, format=FORMATS[what])


def get(w, shipment, what="pdf"):
    return w.call("ShippingService", "GetLabel", request(w, shipment, what))


def refused(w, rq):
    return w.refusal("ShippingService", "GetLabel", rq)


def read(w, label, what):
    """The barcodes of a label as somebody prints it; None: there is nobody who prints ZPL."""
    path, png = os.path.join(w.scratch, label.file_name), os.path.join(w.scratch, "read.png")
    with open(path, "wb") as f:
        f.write(label.content)
    if what == "png":
        return labels.codes(path)
    if what == "pdf":
        labels.picture_of_pdf(path, png)
    elif labels.can_render_zpl():
        labels.pictures_of_zpl([(path, png)])
    else:
        print("     zpl-renderer-js is not installed: ZPL is looked at, not printed")
        return None
    return labels.codes(png)


def in_database(w, shipment):
    return w.sql("SELECT tracking_code, sscc FROM shipment WHERE id = '%s'" % shipment)[0]


def label__reads_as_the_database_has_it_in_every_format(w):
    shipment = parcel(w)
    tracking, sscc = in_database(w, shipment)
    number, = w.sql("SELECT o.number FROM orders o JOIN shipment s ON s.order_id = o.id WHERE s.id = '%s'" % shipment)[0]
    for what in FORMATS:
        label = get(w, shipment, what)
        assert (label.tracking_code, label.sscc, label.media_type) == (tracking, sscc, MEDIA_TYPES[what]), label
        assert label.file_name == "label-%s-1.%s" % (number, what), label.file_name
        assert read(w, label, what) in (labels.expected(tracking, sscc), None if what == "zpl" else ()), what
        assert get(w, shipment, what).content == label.content, "%s is another one the second time" % what
    assert get(w, shipment) == w.call("ShippingService", "GetLabel",
                                      w.pb["shipping_service"].GetLabelRequest(shipment_id=shipment)), "PDF if none is named"
    fields = labels.check_zpl(get(w, shipment, "zpl").content)
    for text in ("Zoë Łukasiewicz", "Rynek 3", "31-042 Kraków", "PL", number, "PO ß-77", "1 / 1", "0.340 kg", "BER1", "Hafenweg 1",
                 "10115 Berlin, DE", tracking, "(00) " + sscc):
        assert text in fields, (text, fields)
    w.sql("UPDATE shipment SET sscc = NULL, weight_g = 1500 WHERE id = '%s'" % shipment)
    bare = get(w, shipment, "png")
    assert bare.sscc == "" and read(w, bare, "png") == labels.expected(tracking, None)
    assert "1.500 kg" in labels.check_zpl(get(w, shipment, "zpl").content)


def two_parcels_of_an_order__have_a_label_each(w):
    order = w.place(lines=[("lamp", 60)])
    w.until(lambda: [bool(g.tracking_code) for g in w.get(order.order_id).order.groups] == [True, True], "two labels")
    senders = set()
    for group in w.get(order.order_id).order.groups:
        label = get(w, group.shipment_id, "zpl")
        fields = labels.check_zpl(label.content)
        assert "%d / 2" % group.group in fields and group.tracking_code in fields and group.location in fields, fields
        assert label.file_name == "label-%d-%d.zpl" % (order.order_number, group.group), label.file_name
        senders.add(group.location)
    assert senders == {"BER1", "MUC1"}, senders


def hostile_texts__are_printed_and_obeyed_by_nobody(w):
    hostile = "^XZ^XA~JA~JR_5E\\&\"'; \U0001f4e6"
    for text in (hostile, "W" * 200, "ü" * 100, "one\n^XZ\ntwo\r\n\tthree", "\u202e\u200b" + hostile):
        shipment = parcel(w, name=text, street=text, city=text, region=text)
        tracking, sscc = in_database(w, shipment)
        for what in FORMATS:
            label = get(w, shipment, what)
            assert read(w, label, what) in (labels.expected(tracking, sscc), None if what == "zpl" else ()), (what, text)
        labels.check_zpl(get(w, shipment, "zpl").content)


def label_not_there_yet__says_so(w):
    shipment = parcel(w)
    for state, tracking in (("planned", "NULL"), ("label_intent", "NULL"), ("voiding", "tracking_code")):
        w.sql("UPDATE shipment SET state = '%s', tracking_code = %s WHERE id = '%s'" % (state, tracking, shipment))
        status, reason, _, _ = refused(w, request(w, shipment))
        assert (status, reason) == ("FAILED_PRECONDITION", "LABEL_NOT_BOUGHT"), (state, status, reason)
        w.sql("UPDATE shipment SET state = 'planned', tracking_code = 'T1' WHERE id = '%s'" % shipment)


def label_that_would_be_wrong__is_not_made(w):
    shipment = parcel(w)
    for wrong in ("sscc = '034567890000000010'", "tracking_code = 'A^B'", "tracking_code = '%s'" % ("7" * 31)):
        before = in_database(w, shipment)
        w.sql("UPDATE shipment SET %s WHERE id = '%s'" % (wrong, shipment))
        status, reason, _, _ = refused(w, request(w, shipment))
        assert (status, reason) == ("FAILED_PRECONDITION", "LABEL_UNPRINTABLE"), (wrong, status, reason)
        w.sql("UPDATE shipment SET tracking_code = '%s', sscc = '%s' WHERE id = '%s'" % (*before, shipment))
    assert get(w, shipment).content
    w.sql("UPDATE contact SET sealed = set_byte(sealed, 19, get_byte(sealed, 19) # 1) FROM orders o JOIN shipment s ON s.order_id = o.id"
          " WHERE s.id = '%s' AND contact.id = o.contact_id" % shipment)
    status, reason, _, _ = refused(w, request(w, shipment))
    assert (status, reason) == ("FAILED_PRECONDITION", "LABEL_UNPRINTABLE"), (status, reason)


def bad_request__is_told_which_field(w):
    rq = w.pb["shipping_service"].GetLabelRequest
    for bad, field in ((rq(), "shipment_id"), (rq(shipment_id="x"), "shipment_id"),
                       (rq(shipment_id="01890000-0000-7000-8000-000000000000", format=9), "format")):
        status, _, _, fields = refused(w, bad)
        assert status == "INVALID_ARGUMENT" and list(fields) == [field], (status, fields)
    status, reason, _, _ = refused(w, rq(shipment_id="01890000-0000-7000-8000-000000000000"))
    assert (status, reason) == ("NOT_FOUND", "NOT_FOUND"), (status, reason)


def many_labels_at_once__are_each_made_or_refused(w):
    shipment = parcel(w)
    want = get(w, shipment, "png").content
    call = w.channel.unary_unary("/orderd.v1.ShippingService/GetLabel", type(request(w, shipment)).SerializeToString,
                                 w.pb["shipping_service"].GetLabelResponse.FromString)
    made, refusals = 0, 0
    for one in [call.future(request(w, shipment, "png"), timeout=60) for _ in range(200)]:
        try:
            assert one.result().content == want
            made += 1
        except grpc.RpcError as e:
            assert (e.code(), details_of(e)[0]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"), e
            refusals += 1
    assert made >= 32 and made + refusals == 200, (made, refusals)
    assert get(w, shipment, "png").content == want


run(label__reads_as_the_database_has_it_in_every_format, two_parcels_of_an_order__have_a_label_each,
    hostile_texts__are_printed_and_obeyed_by_nobody, label_not_there_yet__says_so, label_that_would_be_wrong__is_not_made,
    bad_request__is_told_which_field, many_labels_at_once__are_each_made_or_refused)
