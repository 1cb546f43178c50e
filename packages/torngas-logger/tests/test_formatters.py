"""Lines, colors, JSON: nobody forges one."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torngas_logger import ColorFormatter, JsonFormatter, LineFormatter


def record(msg="hello", *args, **fields):
    made = logging.LogRecord("shop", logging.INFO, "/app/shop.py", 12, msg, args, None)
    made.__dict__.update(fields)
    return made


def failed(message="a\nb\x1b"):
    try:
        raise ValueError(message)
    except ValueError as error:
        return (ValueError, error, error.__traceback__)


@pytest.mark.promise(30)
@pytest.mark.parametrize(
    "evil", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\x00b", "a\x85b", "a\u2028b", "a\u202eb", "a\x7fb", "a\tb"]
)
def test_promise_30_control_characters_in_message_and_fields_are_written_out(evil):
    """A path or an agent cannot begin a line, move a cursor or turn the text round."""
    formatter = LineFormatter("%(asctime)s %(levelname)s %(message)s %(agent)s")
    line = formatter.format(record("GET %s", evil, agent=evil))
    assert line.isprintable()
    assert line.count(evil.encode("unicode_escape").decode()) == 2


@given(st.text(), st.text())
def test_no_message_and_no_field_makes_a_second_line(message, field):
    """For any text, in every formatter."""
    for formatter in (LineFormatter("%(message)s %(field)s"), JsonFormatter(), ColorFormatter(color=False)):
        assert formatter.format(record("%s", message, field=field)).isprintable()


@given(st.text(), st.text())
def test_json_gives_back_what_was_logged(message, field):
    """Whatever had to be escaped."""
    entry = json.loads(JsonFormatter().format(record("%s", message, field=field)))
    assert (entry["message"], entry["field"]) == (message, field)


def test_a_line_is_that_of_stdlib_where_nothing_is_escaped():
    """Any format of stdlib works."""
    for arguments in (
        ("%(asctime)s %(name)s %(message)s",),
        ("{levelname} {message}", None, "{"),
        ("$message", None, "$"),
    ):
        made = record()
        assert LineFormatter(*arguments).format(made) == logging.Formatter(*arguments).format(made)


def test_line_breaks_of_the_format_itself_stay():
    """The format is the program's."""
    assert LineFormatter("%(name)s\n%(message)s").format(record("a\nb")) == "shop\na\\nb"


def test_a_traceback_is_indented_so_that_it_begins_no_record():
    """Each of its lines, the message of the exception too."""
    lines = LineFormatter("%(message)s").format(record("boom", exc_info=failed("a\n2026 INFO forged\x1b"))).split("\n")
    assert lines[0] == "boom"
    assert all(line.startswith("    ") for line in lines[1:])
    assert lines[-1] == "    2026 INFO forged\\x1b"


def test_objects_in_fields_are_escaped_too():
    """An object is text as soon as it is formatted."""

    class Evil:
        def __str__(self):
            return "a\nb"

    assert LineFormatter("%(evil)s %(n)d").format(record(evil=Evil(), n=3)) == "a\\nb 3"


def test_the_record_is_left_as_it_is():
    """Other handlers get it too."""
    made = record("a\nb", field="c\nd")
    before = dict(made.__dict__)
    LineFormatter("%(message)s %(field)s").format(made)
    assert {key: made.__dict__[key] for key in before} == before


def test_color_is_for_terminals_only(monkeypatch):
    """A file gets none; NO_COLOR is obeyed; escapes in the message are no colors."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert ColorFormatter(stream=Terminal()).format(record("x\x1b[0m")).startswith("\x1b[32m[I ")
    assert "x\\x1b[0m" in ColorFormatter(stream=Terminal()).format(record("x\x1b[0m"))
    assert "\x1b" not in ColorFormatter(stream=io.StringIO()).format(record())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in ColorFormatter(stream=Terminal()).format(record())


def test_json_has_the_request_id_extra_fields_and_the_exception():
    """One line; the id of the record goes before the one of the function."""
    formatter = JsonFormatter(request_id=lambda: "asked", fields={"service": "shop"})
    entry = json.loads(formatter.format(record("sold %d", 3, user={"id": 7}, level="mine", exc_info=failed("no"))))
    assert entry["time"].endswith("+00:00")
    assert (entry["level"], entry["logger"], entry["message"]) == ("INFO", "shop", "sold 3")
    assert (entry["service"], entry["request_id"], entry["user"], entry["extra_level"]) == (
        "shop",
        "asked",
        {"id": 7},
        "mine",
    )
    assert (entry["exception"]["type"], entry["exception"]["message"]) == ("ValueError", "no")
    assert entry["exception"]["traceback"].startswith("Traceback")
    assert json.loads(formatter.format(record(request_id="own")))["request_id"] == "own"
    assert "request_id" not in json.loads(JsonFormatter().format(record()))


def test_json_survives_values_that_json_does_not_know():
    """Objects, odd keys, a mapping that holds itself."""
    loop = {}
    loop["self"] = loop
    entry = json.loads(JsonFormatter().format(record(value=object, keys={(1, 2): 3}, loop=loop)))
    assert "class 'object'" in entry["value"]
