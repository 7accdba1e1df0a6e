"""Expressions back to text: nothing is lost on one line, and long ones are laid out as Prometheus lays them out."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.model.matchers import Matcher
from monitor.query.ast import Binary, Expr, Number, Selector, String, Subquery, Unary
from monitor.query.durations import parse_duration, show_duration
from monitor.query.format import MAX_LINE, pretty, show_number, to_text
from monitor.query.history import ParseError
from monitor.query.parse import parse
from monitor.query.quoting import go_quote, unquote
from tests.monitor.query.grammar import expressions, newer


def parsed(text: str) -> Expr:
    try:
        return parse(text)
    except ParseError:
        assume(False)
        raise


@settings(max_examples=400, deadline=None)
@given(st.one_of(expressions(), newer()))
def test_what_is_written_on_one_line_reads_as_the_same_tree(text: str) -> None:
    tree = parsed(text)
    line = to_text(tree)
    assert "\n" not in line
    assert parse(line) == tree


@settings(max_examples=200, deadline=None)
@given(st.one_of(expressions(), newer()))
def test_the_layout_is_stable_and_changes_no_meaning(text: str) -> None:
    laid_out = pretty(parsed(text))
    assert pretty(parse(laid_out)) == laid_out


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SUM(x)BY(job)", "sum by (job) (x)"),
        ("sum by() (x)", "sum(x)"),
        ("sum without() (x)", "sum without () (x)"),
        ("topk(5,x)without(a,'b.c')", 'topk without (a, "b.c") (5, x)'),
        ("x{ a = 'b' , c!~`d` , }", 'x{a="b",c!~"d"}'),
        ("{'x.y'}", '{__name__="x.y"}'),
        ("x[300]offset 90s@1.5", "x[5m] @ 1.500 offset 1m30s"),
        ("x[1h:]@end()", "x[1h:] @ end()"),
        ("x[5m]smoothed offset-1h", "x[5m] smoothed offset -1h"),
        ("a/on(x)group_left b", "a / on (x) group_left () b"),
        ("a==bool ignoring(x)b", "a == bool ignoring (x) b"),
        ("a and on()b", "a and on () b"),
        ("a+fill(0)b", "a + fill (0) b"),
        ("a+fill_left(-1)fill_right(+Inf)b", "a + fill_left (-1) fill_right (+Inf) b"),
        ("-Inf^2", "-Inf ^ 2"),
        ("1e3+0x10-.5", "1000 + 16 - 0.5"),
        ("1e-9", "0.000000001"),
        ("3600s+1d", "1h + 1d"),
        ("x[5m+step()]offset(1h/2)", "x[5m + step()] offset (1h / 2)"),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert to_text(parse(text)) == line
    assert parse(line) == parse(text)


def test_a_long_expression_is_laid_out_over_lines() -> None:
    text = (
        "histogram_quantile(0.99, sum by (le, service, environment) (rate(http_request_duration_seconds_bucket{service='checkout'"
        ",env='prod'}[5m]))) > on(service) group_left label_replace(sum without (instance) (service_objective_seconds),"
        "'service', '$1', 'name', '(.*)-x')"
    )
    assert pretty(parse(text)) == "\n".join(
        [
            "  histogram_quantile(",
            "    0.99,",
            "    sum by (le, service, environment) (",
            '      rate(http_request_duration_seconds_bucket{env="prod",service="checkout"}[5m])',
            "    )",
            "  )",
            "> on (service) group_left ()",
            '  label_replace(sum without (instance) (service_objective_seconds), "service", "$1", "name", "(.*)-x")',
        ]
    )


def test_what_fits_stays_on_a_line() -> None:
    name = "x" * (MAX_LINE - 5)
    assert pretty(parse(f"sum({name})")) == f"sum({name})"
    assert pretty(parse(f"sum({name}x)")) == f"sum(\n  {name}x\n)"
    assert pretty(parse(f"-(sum({name}))")) == f"-(\n  sum({name})\n)"


def test_trees_put_together_by_hand_get_the_parentheses_they_need() -> None:
    a, b, c = Selector((Matcher("__name__", "=", "a"),), "a"), Number(-2.0), Number(3.0)
    total = Binary("+", a, c)
    assert to_text(Binary("*", total, c)) == "(a + 3) * 3"
    assert to_text(Binary("-", c, Binary("-", c, c))) == "3 - (3 - 3)"
    assert to_text(Binary("^", b, c)) == "(-2) ^ 3"
    assert to_text(Binary("^", Binary("^", c, c), c)) == "(3 ^ 3) ^ 3"
    assert to_text(Binary("^", c, Binary("^", c, c))) == "3 ^ 3 ^ 3"
    assert to_text(Unary("-", total)) == "-(a + 3)"
    assert to_text(Unary("-", c)) == "-(3)"
    assert to_text(Subquery(total, 60_000, 1000)) == "(a + 3)[1m:1s]"
    assert to_text(Selector((Matcher("__name__", "=", "a.b"),), "a.b")) == '{__name__="a.b"}'
    assert to_text(Selector((Matcher("__name__", "=", "on"),), "on")) == '{__name__="on"}'
    assert to_text(Selector((Matcher("x.y", "!=", 'q"'),))) == '{"x.y"!="q\\""}'
    assert to_text(String("a\nb")) == '"a\\nb"'


@given(st.floats())
def test_numbers_keep_every_digit(value: float) -> None:
    again = parse(show_number(value))
    assert isinstance(again, Number)
    assert (math.isnan(again.value) and math.isnan(value)) or again.value == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_strings_are_quoted_and_unquoted_without_loss(value: str) -> None:
    assert unquote(go_quote(value)) == value
    assert parse(go_quote(value)) == String(value)


@given(st.integers(1, 9_000_000_000_000))
def test_durations_keep_every_millisecond(millis: int) -> None:
    assert parse_duration(show_duration(millis)) == millis


def test_durations_are_shown_as_people_write_them() -> None:
    shown = [show_duration(ms) for ms in (0, 1, 90_000, 5_400_000, 7_776_000_000, 604_800_000, 31_536_000_000, -300_000)]
    assert shown == ["0s", "1ms", "1m30s", "1h30m", "90d", "1w", "1y", "-5m"]
