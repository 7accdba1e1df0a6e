"""The search for traces and logs: what is written becomes a question to the collector."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.matchers import Matcher
from ui.views.filter import FilterError
from ui.views.tracesfilter import LogFilter, TraceFilter, attempt, parse_logs, parse_traces, written

ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", TraceFilter()),
        ("service:cart", TraceFilter(service="cart")),
        ('service=Cart op:"GET /cart"', TraceFilter(service="Cart", operation="GET /cart")),
        (">500ms <2s", TraceFilter(shortest=0.5, longest=2.0)),
        ("duration>=1min", TraceFilter(shortest=60.0)),
        (">250us", TraceFilter(shortest=0.00025)),
        ("error", TraceFilter(error=True)),
        ("status:error", TraceFilter(error=True)),
        ('"error"', TraceFilter(text="error")),
        ("http.route=/cart", TraceFilter(tags=(Matcher("http.route", "=", "/cart"),))),
        ("-http.route=/cart", TraceFilter(tags=(Matcher("http.route", "!=", "/cart"),))),
        ("http.route=~/c.*", TraceFilter(tags=(Matcher("http.route", "=~", "/c.*"),))),
        ("-service:cart", TraceFilter(tags=(Matcher("service.name", "!=", "cart"),))),
        ("service=~cart|orders", TraceFilter(tags=(Matcher("service.name", "=~", "cart|orders"),))),
        ("lock timeout", TraceFilter(text="lock timeout")),
        (ID.upper(), TraceFilter(trace=ID)),
        (f"trace:{ID}", TraceFilter(trace=ID)),
        ("GET /cart", TraceFilter(text="GET /cart")),
    ],
)
def test_a_search_for_traces_is_read(text: str, wanted: TraceFilter) -> None:
    assert parse_traces(text) == wanted


def test_a_part_of_an_attribute_is_found_in_any_case() -> None:
    (tag,) = parse_traces("db.statement:order_lines").tags
    assert tag.test("UPDATE Order_Lines")
    assert not tag.test("UPDATE items")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("level>=warn", LogFilter(severity=13)),
        ("level:error", LogFilter(severity=17)),
        ("level>warn", LogFilter(severity=17)),
        (f"trace:{ID} words", LogFilter(trace=ID, text="words")),
        ("service:cart order.id=8841", LogFilter(service="cart", tags=(Matcher("order.id", "=", "8841"),))),
    ],
)
def test_a_search_for_logs_is_read(text: str, wanted: LogFilter) -> None:
    assert parse_logs(text) == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("service:", "a value after service: is missing"),
        (">fast", "500ms"),
        ('op:"GET', "never closed"),
        ("-word", "not left out"),
        ("-error", "cannot be asked"),
        ("op=~GET.*", "whole name"),
        ("http.route=~(", "not a valid pattern"),
        ("size>5", "only durations"),
        ("trace:4bf9", "16 or 32"),
        ("<1s >2s", "nothing is longer"),
        ("x " * 20, "more than 16"),
        ("a" * 600, "600 characters"),
    ],
)
def test_what_cannot_be_asked_is_explained(text: str, words: str) -> None:
    with pytest.raises(FilterError, match="Column") as raised:
        parse_traces(text)
    assert words in str(raised.value)


def test_the_last_good_search_holds_while_a_term_is_typed() -> None:
    last, _ = attempt(parse_traces, "service:cart", TraceFilter())
    still, error = attempt(parse_traces, "service:cart >", last)
    assert still == last
    assert error


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (parse_traces, parse_logs):
        with contextlib.suppress(FilterError):
            read(text)


@given(
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=30).filter(lambda s: not ('"' in s and "'" in s))
)
def test_a_service_that_is_written_is_read_back(name: str) -> None:
    assert parse_traces(written("service", name)).service == name
