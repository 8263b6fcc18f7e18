#!/usr/bin/python3
"""Labels with every kind of text, printed by others: their barcodes are read back as what they were made of.

usage: judge.py LABEL_PRINT pictures|zpl
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
import labels  # noqa: E402


def printed(program, *args):
    return subprocess.run([program, *args], check=True, stdout=subprocess.PIPE, timeout=60).stdout


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(content)
    return path


def judge_pictures(program, cases, folder):
    for name, tracking, sscc in cases:
        pdf, png = (write(folder, f"{name}.{f}", printed(program, name, f)) for f in ("pdf", "png"))
        drawn = os.path.join(folder, name + "-pdf.png")
        labels.picture_of_pdf(pdf, drawn)
        for picture in (drawn, png):
            read = labels.codes(picture)
            assert read == labels.expected(tracking, sscc), (picture, read)
        for path, f in ((pdf, "pdf"), (png, "png")):
            with open(path, "rb") as kept:
                assert printed(program, name, f) == kept.read(), f"{path} is not the same twice"
        print("ok", name, flush=True)


def judge_text(program, folder):
    """Letters beyond ASCII are there as letters, for who searches the PDF."""
    said = labels.text_of_pdf(write(folder, "said.pdf", printed(program, "ordinary", "pdf")))
    for text in ("Zoë Łukasiewicz-Müller", "Straße des 17. Juni 135", "31-042 Kraków, Małopolska", "Hafenstraße 12, Tor 3",
                 "10115 Berlin, DE", "EZ1000000001", "(00) 034567890000000019", "1 / 2", "1.250 kg", "PO-2026-77", "100042"):
        assert text in said, (text, said)
    print("ok text", flush=True)


def judge_zpl(program, cases, folder):
    pairs = []
    for name, tracking, sscc in cases:
        zpl = printed(program, name, "zpl")
        fields = labels.check_zpl(zpl)
        assert tracking in fields and (not sscc or f"(00) {sscc}" in fields), fields
        pairs.append((write(folder, name + ".zpl", zpl), os.path.join(folder, name + "-zpl.png")))
    labels.pictures_of_zpl(pairs)
    for (name, tracking, sscc), (_, picture) in zip(cases, pairs):
        read = labels.codes(picture)
        assert read == labels.expected(tracking, sscc), (picture, read)
        print("ok", name, flush=True)


def main():
    program, what = sys.argv[1:]
    if what == "zpl" and not labels.can_render_zpl():
        print("npm ci has not been run in tests/integration/label: ./dev test sees to it")
        sys.exit(77)
    cases = [line.split("\t") for line in printed(program).decode().splitlines()]
    with tempfile.TemporaryDirectory(prefix="orderd-label.", dir="/var/tmp") as folder:
        if what == "zpl":
            judge_zpl(program, cases, folder)
        else:
            judge_pictures(program, cases, folder)
            judge_text(program, folder)


main()
