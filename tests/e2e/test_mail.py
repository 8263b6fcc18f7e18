"""The customer is told by mail, over TLS and after a login: once of each thing, whatever dies; and no mail holds up an order.

The mail server is npm's smtp-server, and mailparser reads what it took: neither is ours.  What it does is a wish in
front of the recipient's @ (tests/support/smtp/sink.js).
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from world import ROOT, objects_in, run

SKIPPED = 77
SUBJECTS = {
    "confirmed": "Your order %s is confirmed", "shipped": "Your order %s is on its way",
    "out_for_delivery": "Your order %s arrives soon", "delivered": "Your order %s was delivered",
    "cancelled": "Your order %s was cancelled", "rejected": "Your order %s could not be paid",
}


def place(w, mailbox, **fields):
    address = w.pb["place"].Address(name="Ada <Müller>", street="Ring 1", city="Hamburg", postal_code="20095", country_code="DE",
                                    email=mailbox and mailbox + "@customer.example")
    return w.place(ship_to=address, **fields)


def mails(w, order_id):
    """What the server took for this order, oldest first."""
    all_mails = objects_in(w.env["MAILS"])
    ids = {"<%s@shop.example>" % row[0] for row in w.sql("SELECT id FROM notification WHERE order_id = '%s'" % order_id)}
    return [mail for mail in all_mails if mail["messageId"] in ids]


def rows(w, order_id):
    """(id, template, state, detail), oldest first."""
    return w.sql("SELECT id, template, state, detail FROM notification WHERE order_id = '%s' ORDER BY seq" % order_id)


def told(w, order_id):
    w.until(lambda: rows(w, order_id) and all(state != "queued" for _, _, state, _ in rows(w, order_id)), "the mails")


def completed(w, order_id):
    w.until(lambda: w.state(order_id) == "completed", "delivery")


def mails_of_an_order__are_its_events_in_good_words(w):
    order = place(w, "ada", lines=[("mug", 2), ("lamp", 1)])
    completed(w, order.order_id)
    told(w, order.order_id)
    got = mails(w, order.order_id)
    expected = [t for (t,) in w.sql("SELECT mail_template(kind, detail) FROM order_event WHERE order_id = '%s' "
                                    "AND mail_template(kind, detail) IS NOT NULL ORDER BY seq" % order.order_id)]
    assert expected[0] == "confirmed" and {"shipped", "delivered"} <= set(expected), expected
    number = w.sql("SELECT number FROM orders WHERE id = '%s'" % order.order_id)[0][0]
    assert sorted(m["subject"] for m in got) == sorted(SUBJECTS[t] % number for t in expected), [m["subject"] for m in got]
    assert sorted(m["messageId"] for m in got) == sorted("<%s@shop.example>" % i for i, _, _, _ in rows(w, order.order_id))
    code = w.sql("SELECT tracking_code FROM shipment WHERE order_id = '%s'" % order.order_id)[0][0]
    trace = w.sql("SELECT encode(substring(trace FOR 16), 'hex') FROM orders WHERE id = '%s'" % order.order_id)[0][0]
    assert {m["headers"]["traceparent"][3:35] for m in got} == {trace}
    for mail in got:
        assert mail["secure"] and mail["to"] == ["ada@customer.example"] and mail["from"] == "orders@shop.example", mail
        assert mail["headers"]["auto-submitted"] == "auto-generated" and mail["headers"]["from"].startswith('"The Shop"')
        assert "Hello Ada <Müller>," in mail["text"] and "Hello Ada &lt;Müller&gt;," in mail["html"]
        for text in ("2 x A mug", "EUR 25.80", "1 x A lamp", "EUR 49.50", "Total of the order: EUR 75.30"):
            assert text in mail["text"], (text, mail["text"])
        assert "EUR 75.30" in mail["html"] and "{{" not in mail["html"] + mail["text"]
        if "on its way" in mail["subject"]:
            assert "https://track.example/" + code in mail["text"] or re.search(r"Follow your parcel: https?://\S+", mail["text"])
            assert re.search('href="https?:', mail["html"]), mail["html"]
    assert {state for _, _, state, _ in rows(w, order.order_id)} == {"sent"}


def order_without_an_address__gets_no_mail(w):
    order = place(w, "").order_id
    completed(w, order)
    assert rows(w, order) == []


def worker_killed_between_the_server_s_yes_and_the_row__mail_comes_again_with_the_same_id(w):
    order = place(w, "silent").order_id
    w.until(lambda: len(mails(w, order)) >= 1, "the first copy")
    w.kill("worker")
    assert [state for _, _, state, _ in rows(w, order)][0] == "queued"
    w.again("worker")
    completed(w, order)
    told(w, order)
    ids = [m["messageId"] for m in mails(w, order)]
    assert set(ids) == {"<%s@shop.example>" % i for i, _, _, _ in rows(w, order)}
    assert all(ids.count(i) == 2 for i in ids), ids
    assert len({(m["messageId"], m["subject"], m["html"]) for m in mails(w, order)}) == len(set(ids))


def connection_lost_after_the_dot__mail_comes_again_with_the_same_id(w):
    order = place(w, "dropped").order_id
    completed(w, order)
    told(w, order)
    ids = [m["messageId"] for m in mails(w, order)]
    assert len(ids) >= 6 and all(ids.count(i) == 2 for i in ids), ids
    assert {state for _, _, state, _ in rows(w, order)} == {"sent"}


def mail_server_dead__order_is_delivered_and_the_mails_come_later(w):
    w.kill("smtp")
    order = place(w, "bob").order_id
    completed(w, order)
    assert {state for _, _, state, _ in rows(w, order)} == {"queued"} and mails(w, order) == []
    w.audit()
    w.again("smtp")
    told(w, order)
    ids = [m["messageId"] for m in mails(w, order)]
    assert sorted(ids) == sorted("<%s@shop.example>" % i for i, _, _, _ in rows(w, order)), ids
    assert {state for _, _, state, _ in rows(w, order)} == {"sent"}


def address_refused__it_is_written_down_and_the_order_is_unaffected(w):
    order = place(w, "refused").order_id
    completed(w, order)
    told(w, order)
    assert {(state, detail) for _, _, state, detail in rows(w, order)} == {("refused", "550 5.1.1")}
    assert mails(w, order) == []


def server_greylists__mail_comes_in_the_end(w):
    order = place(w, "later").order_id
    completed(w, order)
    told(w, order)
    assert {state for _, _, state, _ in rows(w, order)} == {"sent"}


def card_declined__customer_hears_of_it_once(w):
    order = place(w, "eve", card="pm_card_chargeDeclined").order_id
    w.until(lambda: w.state(order) == "rejected", "the rejection")
    told(w, order)
    assert [(t, state, detail) for _, t, state, detail in rows(w, order)] == [
        ("payment_problem", "suppressed", "overtaken"), ("payment_problem", "sent", "250")]
    assert [re.sub(r"\d+", "%s", m["subject"]) for m in mails(w, order)] == [SUBJECTS["rejected"]]


def order_cancelled__customer_hears_of_it(w):
    w.fault(path="/v1/payment_intents", fault="slow", count=1, ms=2500)
    order = place(w, "kim").order_id
    w.cancel(order)
    w.until(lambda: w.state(order) == "cancelled", "the end")
    told(w, order)
    assert [re.sub(r"\d+", "%s", m["subject"]) for m in mails(w, order)] == [SUBJECTS["cancelled"]]


def no_sender_is_set__notification_role_idles(w):
    worker = subprocess.Popen([os.path.join(w.env["DATA"], "bin/orderd-worker"), "--roles=notification", "--mail-from=",
                               "--worker-http-listen=", "--postgres=host=%s dbname=orderd user=orderd" % w.env["SOCKETS"]],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert worker.stdout.readline() == "ready\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    finally:
        worker.kill()
        worker.wait()


def books_hold(w):
    w.audit()


def main():
    if not os.path.isdir(os.path.join(ROOT, "tests/support/smtp/node_modules/smtp-server")):
        print("tests/support/smtp/node_modules is missing: run npm ci in tests/support/smtp", file=sys.stderr)
        sys.exit(SKIPPED)
    keys = tempfile.mkdtemp(prefix="orderd-e2e-mail.", dir="/var/tmp")
    try:
        os.chmod(keys, 0o755)  # the servers' user looks into it
        key, cert, password = (os.path.join(keys, name) for name in ("key", "cert", "password"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=mail", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                       check=True, stderr=subprocess.DEVNULL)
        with open(password, "w", encoding="utf-8") as f:
            f.write("word\n")
        run(mails_of_an_order__are_its_events_in_good_words,
            order_without_an_address__gets_no_mail,
            worker_killed_between_the_server_s_yes_and_the_row__mail_comes_again_with_the_same_id,
            connection_lost_after_the_dot__mail_comes_again_with_the_same_id,
            mail_server_dead__order_is_delivered_and_the_mails_come_later,
            address_refused__it_is_written_down_and_the_order_is_unaffected,
            server_greylists__mail_comes_in_the_end,
            card_declined__customer_hears_of_it_once,
            order_cancelled__customer_hears_of_it,
            no_sender_is_set__notification_role_idles,
            books_hold,
            config="smtp_user = shop\nsmtp_password_file = %s\nca_file = %s\nsmtp_timeout_ms = 3000\n" % (password, cert),
            env={"SERVERS_SMTP": "1", "SERVERS_SMTP_TLS": "required",
                 "SERVERS_SMTP_ARGS": "--key %s --cert %s --user shop --password word" % (key, cert)})
    finally:
        shutil.rmtree(keys, ignore_errors=True)


main()
