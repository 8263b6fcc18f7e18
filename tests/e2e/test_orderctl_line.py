"""orderctl's own side: its command line, help, completion, manual page, colours, and how it ends; before a server that
answers whatever a story wants."""
import concurrent.futures
import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

import grpc

import world

CTL = os.path.join(world.BUILD, "clients", "orderctl")
NOWHERE = "127.0.0.1:1"
ORDER = "01890000-0000-7000-8000-000000000000"
TO = ("--customer", "ctl", "--payment-method", "pm_card_visa", "--name", "Ada Example", "--street", "Ring 1",
      "--city", "Hamburg", "--postal-code", "20095", "--country", "DE")


def ctl(*args, env=None, stdin=None, **more):
    """(exit code, stdout, stderr)"""
    env = dict({"PATH": os.environ["PATH"]}, **(env or {}))
    done = subprocess.run([CTL, *args], env=env, input=stdin, text=True, timeout=60,
                          **dict({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}, **more))
    assert "Sanitizer" not in (done.stderr or ""), done.stderr
    return done.returncode, done.stdout, done.stderr


def says(*args, **more):
    code, out, err = ctl(*args, **more)
    assert (code, err) == (0, ""), (args, code, out, err)
    return out


def told_why(*args):
    """ctl() of a command that hears "because".  What may help is asked again until the deadline: so short a one that a busy
    machine may need more."""
    for deadline_ms in ("400", "3000", "15000"):
        code, out, err = ctl("--deadline", deadline_ms, *args)
        if "because" in out + err:
            break
    return code, out, err


def refused(word, *args, **more):
    code, out, err = ctl(*args, **more)
    assert (code, out) == (2, "") and err.startswith("orderctl: ") and word in err, (args, code, out, err)
    return err


@contextlib.contextmanager
def server(answer):
    """A gRPC server of which `answer(method, request, context)` is every method; its address."""
    class Any(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: answer(details.method.rsplit("/", 1)[1], request, context))

    s = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    s.add_generic_rpc_handlers((Any(),))
    port = s.add_insecure_port("127.0.0.1:0")
    s.start()
    try:
        yield "127.0.0.1:%d" % port
    finally:
        s.stop(None).wait()


def on_terminal(*args, which="stdout", env=None, stdin=subprocess.DEVNULL):
    """What comes out where `which` of the command is a terminal: (exit code, the terminal's bytes, the other's)."""
    ours, its = pty.openpty()
    other = "stderr" if which == "stdout" else "stdout"
    env = dict({"PATH": os.environ["PATH"], "TERM": "xterm"}, **(env or {}))
    with tempfile.TemporaryFile() as rest:
        p = subprocess.Popen([CTL, *args], env=env, stdin=stdin, **{which: its, other: rest})
        os.close(its)
        seen = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not more:
                break
            seen += more
        os.close(ours)
        code = p.wait(60)
        rest.seek(0)
        return code, seen.decode(), rest.read().decode()


def commands():
    """Every command, as `orderctl help` lists them."""
    listed = re.search(r"^Commands:\n(.*?)\n\n", says("help"), re.M | re.S).group(1)
    return [line[2:20].strip() for line in listed.splitlines() if line[2] != " "]


# ---- help


def help__lists_commands_options_variables_and_exit_codes(pb):
    out = says("help")
    assert out == says("--help") == says("-h")
    for command in ("place", "get", "status", "list", "cancel", "watch", "payments", "payment", "pay", "item put",
                    "location create", "stock receive", "stock adjust", "stock show", "stock movements", "label", "shipments",
                    "shipment", "void", "handover", "fulfillment", "pick", "pack", "help", "completion"):
        assert command in commands(), command
    for word in ("--server", "--json", "--deadline", "--color", "ORDERD_SERVER", "NO_COLOR", *("\n  %d " % n for n in range(7))):
        assert word in out, word
    assert all(len(line) <= 80 for line in out.splitlines()), [line for line in out.splitlines() if len(line) > 80]
    assert re.fullmatch(r"orderctl \d+\.\d+\.\d+\S*\n", says("--version"))
    code, out, err = ctl()
    assert (code, err) == (2, "") and out.startswith("usage: "), (code, out, err)


def help_of_a_command__says_what_each_word_and_option_means(pb):
    takes_value = {}
    for command in commands():
        out = says("help", *command.split())
        assert out == says(*command.split(), "--help") == says("-h", *command.split()), command
        assert out.startswith("usage: orderctl %s" % command), out
        part = re.search(r"^Options:\n(.*?)(\n\n|\Z)", out, re.M | re.S)
        lines = part.group(1).splitlines() if part else []
        for i, line in enumerate(lines):
            if line.startswith("  --"):
                name, _, value = line.strip().partition(" ")
                assert i + 1 < len(lines) and lines[i + 1].strip(), (command, line, "means nothing: clients/orderctl/vocabulary.c")
                assert takes_value.setdefault(name, value != "") == (value != ""), (command, name, "has a value elsewhere")
        part = re.search(r"^Words:\n(.*?)\n\n", out, re.M | re.S)
        words = part.group(1) if part else ""
        for name in re.findall(r"^  (\S+(?: \S+)*)", words, re.M):
            assert re.search(r"^  %s(  +|\n {20})\S" % re.escape(name), words, re.M), (command, name, "means nothing")
    assert "orderctl place" in says("help", "place").split("Examples:")[1]
    assert len(takes_value) > 30


def slip__is_answered_with_the_nearest(pb):
    for args, word in (
            (("lst",), "did you mean list?"), (("stok", "show"), "did you mean stock?"), (("stock", "recieve"), "stock receive?"),
            (("stock",), "receive, adjust, show, movements"), (("frobnicate",), "orderctl help lists them"),
            (("help", "plaec"), "did you mean place?"),
            (("place", *TO, "--custmer", "x", "mug=1"), "did you mean --customer?"),
            (("get", "--event", ORDER), "did you mean --events?"), (("list", "--colour", "never"), "did you mean --color?"),
            (("label", ORDER, "--out", "x", "--format", "pfd"), "did you mean pdf?"),
            (("payments", "--state", "decline"), "did you mean declined?"),
            (("payments", "--state", "rich"), "pending, unknown, authorized"),
            (("list", "--color", "sometimes"), "auto, always or never"),
            (("fulfillment", "--state", "done"), "open, picked, packed, closed or cancelled"),
            (("get", "-events", ORDER), "two dashes"), (("list", "--customer", "--json"), "--customer=--json"),
            (("--json",), "--json")):
        refused(word, *args)
    assert "\n  see: orderctl help place\n" in refused("--customer", "place", "mug=1")
    assert "`orderctl list` finds them" in refused("ORDER is required", "get")


def options__stand_anywhere_and_end_at_two_dashes(pb):
    get, asked = pb["order_service"].GetOrderRequest, []

    def answer(method, request, context):
        asked.append(get.FromString(request))
        return pb["order_service"].GetOrderResponse().SerializeToString()

    with server(answer) as address:
        for args in (("--server", address, "--json", "get", "--events", "x"), ("get", "x", "--events", "--json", "--server=" + address),
                     ("--events", "--server", address, "get", "--json", "x")):
            assert says(*args) == '{"events":[]}\n', args
        says("get", "--server", address, "--events", "--json", "--", "--x")
        says("get", "--json", "--", "x", env={"ORDERD_SERVER": address})
    assert [r.order_id for r in asked] == ["x", "x", "x", "--x", "x"] and asked[0].with_events and not asked[4].with_events
    refused("--events", "get", "--", "x", "--events")
    refused("--server", "list", "--server", "")


def forms_of_a_command__are_not_mixed(pb):
    refused("--customer does not go with --file", "place", "--file", "x", "--customer", "c")
    refused("this does not go with --file", "place", "--file", "x", "mug=1")
    refused("--request-id does not go with --many", "place", "--file", "x", "--many", "--request-id", "r")
    refused("--file is required", "place", "--many")
    refused("--all does not go with --limit", "list", "--limit", "3", "--all")
    refused("--batch", "place", "--file", "/dev/null", "--many", "--batch", "b" * 81)


# ---- how it ends


def exit_codes__are_told_apart_by_cause(pb):
    code_of, place = {}, ("place", *TO, "--request-id", "r-7", "mug=1")
    status = grpc.StatusCode

    def answer(method, request, context):
        context.abort(code_of["now"], "because")

    with server(answer) as address:
        for now, asked, changed in (
                (status.INVALID_ARGUMENT, 1, 1), (status.FAILED_PRECONDITION, 1, 1), (status.ALREADY_EXISTS, 1, 1),
                (status.OUT_OF_RANGE, 1, 1), (status.NOT_FOUND, 4, 4), (status.PERMISSION_DENIED, 6, 6),
                (status.UNAUTHENTICATED, 6, 6), (status.RESOURCE_EXHAUSTED, 5, 5), (status.UNIMPLEMENTED, 5, 5),
                (status.UNAVAILABLE, 5, 3), (status.ABORTED, 5, 3), (status.CANCELLED, 5, 3), (status.INTERNAL, 5, 3),
                (status.UNKNOWN, 5, 3), (status.DATA_LOSS, 5, 3), (status.DEADLINE_EXCEEDED, 5, 3)):
            code_of["now"] = now
            for args, expected in (((("get", ORDER)), asked), (place, changed), (("item", "put", "--title", "t", "--price", "1",
                                   "--currency", "EUR", "--weight", "1", "s"), changed)):
                code, out, err = told_why("--server", address, *args)
                assert (code, out) == (expected, "") and "because" in err, (now, args, code, out, err)
                assert ("repeat it with --request-id r-7\n" in err) == (code == 3 and args == place), (now, args, err)
                assert ("repeat the same command\n" in err) == (code == 3 and args[0] == "item"), (now, args, err)
                code, out, err = told_why("--server", address, "--json", *args)
                assert json.loads(out)["error"]["exit_code"] == code == expected and err == "", (now, args, out, err)
        # what changes nothing has no outcome to wonder about
        code_of["now"] = status.UNAVAILABLE
        code, _, err = told_why("--server", address, *place, "--validate-only")
        assert code == 5 and "repeat" not in err, (code, err)


def server_away__is_said_with_its_address_and_where_that_came_from(pb):
    for args, env, word in ((("--server", NOWHERE), {}, "tried: 127.0.0.1:1, from --server"),
                            ((), {"ORDERD_SERVER": NOWHERE}, "tried: 127.0.0.1:1, from $ORDERD_SERVER")):
        code, out, err = ctl("get", ORDER, "--deadline", "2000", *args, env=env)
        assert (code, out) == (5, "") and word in err, (code, out, err)


def what_cannot_be_written__is_no_success(pb):
    with open("/dev/full", "w") as full:
        code, _, err = ctl("help", stdout=full)
        assert code == 1 and "standard output" in err, (code, err)


def text_from_others__moves_no_cursor(pb):
    order = pb["order"].Order(order_id=ORDER, customer="\x1b[2Jowned\r\n", reference="茶\u200b\u202e", lines=[
        pb["order"].OrderLine(line=1, sku="\x07bell", title="a\tb"), pb["order"].OrderLine(line=2, sku="茶茶茶茶", title="c")])

    def answer(method, request, context):
        if method == "GetOrder":
            return pb["order_service"].GetOrderResponse(order=order).SerializeToString()
        context.abort(grpc.StatusCode.NOT_FOUND, "\x1b[31mno\nno")

    with server(answer) as address:
        out = says("--server", address, "get", ORDER)
        assert not set("\x1b\x07\u202e") & set(out) and "Reference    茶\u200b???\n" in out and "Customer     ?[2Jowned  \n" in out, out
        one, two = [line for line in out.splitlines() if re.match(r" +[12]  ", line)]
        assert one == "   1  ?bell     a b           0      -  -" and two == "   2  茶茶茶茶  c             0      -  -", (one, two)
        _, _, err = ctl("--server", address, "status", ORDER)
        assert err.startswith("orderctl: failed: ?[31mno no\n"), err


# ---- terminals


def colour__is_for_terminals_unless_somebody_says_otherwise(pb):
    rs = pb["order_service"].GetOrderStatusResponse(order_number=7, state=4, payment_state=6, fulfillment_state=7)
    plain, red = "7 COMPLETED DECLINED CANCELLED\n", "\x1b[31mDECLINED\x1b[0m"
    with server(lambda *_: rs.SerializeToString()) as address:
        args = ("--server", address, "status", ORDER)
        assert says(*args) == says(*args, "--color", "never") == says(*args, "--color=auto", env={"TERM": "xterm"}) == plain
        assert red in says(*args, "--color", "always") and red in says(*args, "--color=ALWAYS", env={"NO_COLOR": "1"})
        for more, env, colored in (((), {}, True), ((), {"NO_COLOR": "1"}, False), ((), {"NO_COLOR": ""}, True),
                                   ((), {"TERM": "dumb"}, False), (("--color=never",), {}, False),
                                   (("--color=always",), {"TERM": "dumb"}, True)):
            code, seen, err = on_terminal(*args, *more, env=env)
            assert (code, err) == (0, "") and (red in seen) == colored, (more, env, seen)
            assert colored or seen.replace("\r\n", "\n") == plain, seen
        assert "\x1b" not in on_terminal(*args, "--json")[1]


def progress__is_shown_on_a_terminal_alone(pb):
    rs = pb["order_service"].PlaceOrderResponse(order=pb["order"].Order(order_id=ORDER, order_number=7))
    with server(lambda *_: rs.SerializeToString()) as address, tempfile.NamedTemporaryFile("w") as f:
        f.write('{"request_id":"a"}\n{"request_id":"b"}\n')
        f.flush()
        args = ("--server", address, "place", "--many", "--file", f.name)
        code, seen, out = on_terminal(*args, which="stderr")
        assert code == 0 and "1 lines: 1 placed, 0 refused" in seen and seen.endswith("\r\x1b[K"), seen
        assert out == says(*args) == "     1  placed   %s  7  -\n     2  placed   %s  7  -\n" % (ORDER, ORDER), out


# ---- completion and the manual


COMPLETE = """
source <("$1" completion bash)
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_orderctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completes(*words, cwd=None):
    done = subprocess.run(["bash", "-uc", COMPLETE, "bash", CTL, "orderctl", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, cwd=cwd, timeout=60)
    assert done.stderr == "", done.stderr
    return done.stdout.split()


def completion__knows_commands_options_values_and_files(pb):
    first = sorted({command.split()[0] for command in commands()})
    assert sorted(completes("")) == first == sorted(completes("help", ""))
    assert completes("can") == ["cancel"] and completes("stock", "") == ["receive", "adjust", "show", "movements"]
    for command in commands():
        words = command.split()
        offered = completes(*words, "--")
        known = re.findall(r"^  (--[a-z-]+)", says("help", *words), re.M)
        assert offered[:len(known)] == known and "--server" in offered and "--json" in offered, (command, offered, known)
    assert completes("--server", "x", "--json", "stock", "--location", "show", "re") == ["receive"]
    assert completes("label", ORDER, "--format", "") == ["pdf", "png", "zpl"] == completes("label", "--format", "=")
    assert completes("label", "--format", "=", "z") == ["zpl"] and completes("--color", "a") == ["auto", "always"]
    assert "requires_action" in completes("payments", "--state", "") and completes("completion", "") == ["bash"]
    assert completes("get", "") == [] == completes("place", "--customer", "")
    with tempfile.TemporaryDirectory() as folder:
        open(os.path.join(folder, "order.json"), "w").close()
        assert completes("place", "--file", "o", cwd=folder) == ["order.json"] == completes("label", "--out", "=", "o", cwd=folder)
    refused("bash", "completion", "tcsh")


def completion__passes_shellcheck(pb):
    if shutil.which("shellcheck") is None:
        return
    done = subprocess.run(["shellcheck", "-s", "bash", "-"], input=says("completion", "bash"), text=True, stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout


def manual__has_every_command_and_sets_without_a_warning(pb):
    page = says("help", "--man")
    built = os.path.join(world.BUILD, "packaging", "orderctl.1")
    with open(built) as f:
        assert f.read() == page, built + " is behind"
    for tool in (["groff", "-man", "-ww", "-z", "-Tutf8"], ["mandoc", "-Tlint", "-W", "warning"]):
        if shutil.which(tool[0]) is None:
            continue
        done = subprocess.run(tool, input=page, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0 and done.stdout == "", (tool, done.stdout)
    for command in commands():
        assert ".SS %s\n" % command in page, command
    for word in ("EXIT STATUS", "ENVIRONMENT", ".B ORDERD_SERVER", ".B 6"):
        assert word in page, word
    with_value = re.findall(r"--[a-z]", page)
    assert with_value == [], "a dash is \\-, or man shows a hyphen"


def run(*stories):
    failed, scratch = 0, tempfile.mkdtemp(prefix="orderd-ctl.", dir="/var/tmp")
    try:
        pb = world.generated(scratch)
        for story in stories:
            try:
                story(pb)
                print("ok   ", story.__name__, flush=True)
            except Exception:
                failed += 1
                print("FAIL ", story.__name__, flush=True)
                traceback.print_exc()
    finally:
        shutil.rmtree(scratch)
    print("%d passed, %d failed" % (len(stories) - failed, failed))
    sys.exit(1 if failed else 0)


run(help__lists_commands_options_variables_and_exit_codes, help_of_a_command__says_what_each_word_and_option_means,
    slip__is_answered_with_the_nearest, options__stand_anywhere_and_end_at_two_dashes, forms_of_a_command__are_not_mixed,
    exit_codes__are_told_apart_by_cause, server_away__is_said_with_its_address_and_where_that_came_from,
    what_cannot_be_written__is_no_success, text_from_others__moves_no_cursor,
    colour__is_for_terminals_unless_somebody_says_otherwise, progress__is_shown_on_a_terminal_alone,
    completion__knows_commands_options_values_and_files, completion__passes_shellcheck,
    manual__has_every_command_and_sets_without_a_warning)
