"""Labels read by others: poppler draws the PDF, zpl-renderer-js prints the ZPL, zbar reads the barcodes.

    codes(png)                  {("gs1", "00034567890000000019"), ("code128", "EZ1000000001")}
    picture_of_pdf(pdf, png)    as printed with 300 dpi
    pictures_of_zpl(pairs)      as printed with 203 dpi; None: the renderer is not there (npm ci in RENDERER)
    check_zpl(zpl)              nothing but the commands a label is made of, in one label; answers its texts
"""

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

RENDERER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration", "label")
COMMANDS = {"XA", "CI", "PW", "LL", "LH", "LS", "LT", "PO", "FW", "FO", "FT", "GB", "BY", "BC", "A0", "FB", "FH", "FD", "FS", "PQ",
            "XZ"}
SPACE = "{http://zbar.sourceforge.net/2008/barcode}"


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=120).stdout


def codes(png):
    found = ElementTree.fromstring(output("zbarimg", "--nodbus", "-q", "--xml", png))
    read = [("gs1" if s.get("modifiers") == "GS1" else "code128", s.find(SPACE + "data").text) for s in found.iter(SPACE + "symbol")
            if s.get("type") == "CODE-128"]
    assert len(read) == len(set(read)) == len(list(found.iter(SPACE + "symbol"))), ElementTree.tostring(found)
    return set(read)


def expected(tracking, sscc):
    return {("code128", tracking)} | ({("gs1", "00" + sscc)} if sscc else set())


def picture_of_pdf(pdf, png):
    info = output("pdfinfo", "-isodates", pdf).decode()
    assert re.findall(r"Date: +(\S+)", info) == ["2020-01-01T00:00:00Z"] * 2, info  # else it is another file tomorrow
    assert re.search(r"Pages: +1\n", info) and re.search(r"Page size: +288 x 432 pts", info), info
    output("pdftoppm", "-r", "300", "-png", "-singlefile", pdf, png.removesuffix(".png"))


def text_of_pdf(pdf):
    return output("pdftotext", "-raw", pdf, "-").decode()


def can_render_zpl():
    return shutil.which("node") is not None and os.path.isdir(os.path.join(RENDERER, "node_modules", "zpl-renderer-js"))


def pictures_of_zpl(pairs):
    output("node", os.path.join(RENDERER, "render.mjs"), *(path for pair in pairs for path in pair))


def check_zpl(zpl):
    """zpl: bytes"""
    text = zpl.decode()
    assert "~" not in text and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), text
    commands = [part[:2] for part in text.split("^")[1:]]
    assert set(commands) <= COMMANDS, set(commands) - COMMANDS
    assert text.startswith("^XA") and text.endswith("^XZ\n") and commands.count("XA") == commands.count("XZ") == 1, text
    fields = re.findall(r"\^FH_\^FD([^^]*)\^FS\n", text)
    assert len(fields) == commands.count("FD"), text
    return [re.sub(rb"_([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), f.encode()).decode() for f in fields]
