"""What PromQL means: precedence, spellings, names, modifiers, durations, and the bounds of what is read."""

from __future__ import annotations

import math

import pytest

from monitor.model.matchers import Matcher
from monitor.query.ast import Aggregate, At, Binary, Call, Expr, Matching, Number, Paren, Selector, String, Subquery, Unary
from monitor.query.format import to_text
from monitor.query.history import ParseError
from monitor.query.parse import parse


def grouped(expr: Expr) -> str:
    """The expression with a parenthesis round every operation, to see what holds what."""
    if isinstance(expr, Binary):
        return f"({grouped(expr.left)} {expr.op} {grouped(expr.right)})"
    if isinstance(expr, Unary):
        return f"({expr.op}{grouped(expr.expr)})"
    return grouped(expr.expr) if isinstance(expr, Paren) else to_text(expr)


def number(text: str) -> float:
    expr = parse(text)
    assert isinstance(expr, Number)
    return expr.value


def selector(text: str) -> Selector:
    expr = parse(text)
    assert isinstance(expr, Selector)
    return expr


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a - b - c", "((a - b) - c)"),
        ("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"),
        ("-1 ^ 2", "(-(1 ^ 2))"),
        ("2 ^ -1 * 3", "((2 ^ -1) * 3)"),
        ("-a * b", "((-a) * b)"),
        ("a + b * c ^ d", "(a + (b * (c ^ d)))"),
        ("a * b atan2 c % d", "(((a * b) atan2 c) % d)"),
        ("a == b + c", "(a == (b + c))"),
        ("a or b and c unless d", "(a or ((b and c) unless d))"),
        ("a > b == c", "((a > b) == c)"),
        ("h </ 2 + 1", "(h </ (2 + 1))"),
        ("-a offset 5m", "(-a offset 5m)"),
        ("a offset 5m + 1", "(a offset 5m + 1)"),
        ("a offset -2 ^ 2", "(a offset -2s ^ 2)"),
        ("a offset step() * 2", "(a offset step() * 2)"),
        ("a + b @ 5", "(a + b @ 5.000)"),
    ],
)
def test_operators_hold_their_sides_as_in_prometheus(text: str, meaning: str) -> None:
    assert grouped(parse(text)) == meaning


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("1_000", 1000.0),
        ("0x1F", 31.0),
        ("0X_ff", 255.0),
        ("017", 15.0),
        ("08", 8.0),
        (".5", 0.5),
        ("2.", 2.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("9223372036854775808", 2.0**63),
        ("+Inf", math.inf),
        ("-inF", -math.inf),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("--5ms", 0.005),
        ("-0x10", -16.0),
    ],
)
def test_numbers_are_read_as_go_reads_them(text: str, value: float) -> None:
    assert number(text) == value


def test_nan_is_a_number_in_any_case() -> None:
    assert all(math.isnan(number(text)) for text in ("NaN", "nan", "-NAN"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\n\t\"\\"', 'a\n\t"\\'),
        (r"'it\'s'", "it's"),
        (r"`raw \n`", "raw \\n"),
        (r'"é☺"', "é☺"),
        (r'"\xc3\xa9"', "é"),
        (r'"\101\U0001F600"', "A😀"),
        ('""', ""),
    ],
)
def test_strings_are_read_as_go_reads_them(text: str, value: str) -> None:
    assert parse(text) == String(value)


def test_a_name_may_stand_before_the_braces_within_them_or_in_a_matcher() -> None:
    name, label = Matcher("__name__", "=", "up"), Matcher("job", "=~", "a|b")
    assert selector('up{job=~"a|b",}') == Selector((name, label), "up")
    assert selector('{"up", job=~"a|b"}') == selector('{__name__="up", "job"=~"a|b"}') == Selector((name, label))
    assert selector("{'foundation.service.error'}").matchers[0].value == "foundation.service.error"


@pytest.mark.parametrize("word", ["sum", "by", "offset", "and", "start", "end", "step", "fill", "anchored", "limitk", "min_of"])
def test_keywords_are_metrics_where_an_operand_is_due(word: str) -> None:
    assert selector(word).name == word
    assert isinstance(parse(f"x + {word}"), Binary)
    assert isinstance(parse(f"sum({word}) by ({word})"), Aggregate)


def test_keywords_and_aggregations_are_read_in_any_case_and_functions_only_in_theirs() -> None:
    assert parse("SUM(x) BY (job)") == parse("sum by (job) (x)")
    assert parse("x OFFSET 5m") == parse("x offset 5m")
    with pytest.raises(ParseError, match='unknown function with name "Rate"'):
        parse("Rate(x[5m])")


def test_comments_and_line_breaks_are_space() -> None:
    assert parse("sum( # all of them\n  up{job='api' # the api\n}\n)") == parse("sum(up{job='api'})")


def test_modifiers_stand_in_any_order() -> None:
    assert selector("x @ 1.5 offset 5m") == selector("x offset 5m @ 1.5")
    assert selector("x[5m] offset -1h @ end()") == selector("x[5m] @ end() offset -1h")
    found = selector("x @ 3.3335 offset 1h30m")
    assert (found.at, found.offset) == (At(3334), 5_400_000)
    assert selector("x @ -.3").at == At(-300)
    assert selector("x @ start()").at == At(anchor="start")


def test_ranges_and_subqueries_are_milliseconds() -> None:
    assert selector("x[5m]").range == selector("x[300]").range == selector("x[5m0s]").range == 300_000
    assert selector("x[0.5]").range == 500
    assert parse("sum(x)[1h:]") == Subquery(parse("sum(x)"), 3_600_000)
    assert parse("x[1h:30s] offset 1w") == Subquery(parse("x"), 3_600_000, 30_000, offset=604_800_000)


def test_arithmetic_in_durations_is_kept_until_the_step_is_known() -> None:
    found = selector("x[5m + step()] offset (1h / 2)")
    assert found.range is None
    assert found.is_range
    assert found.range_expr == Binary("+", Number(300.0, duration=True), Call("step", ()))
    assert found.offset_expr == Paren(Binary("/", Number(3600.0, duration=True), Number(2.0)))
    assert to_text(found) == "x[5m + step()] offset (1h / 2)"
    assert selector("x[min_of(range(), 1h)]").range_expr == Call("min_of", (Call("range", ()), Number(3600.0, duration=True)))
    assert parse("x[step():step()]") == Subquery(parse("x"), None, range_expr=Call("step", ()), step_expr=Call("step", ()))
    assert selector("x[-5m + 1h]").range_expr == Binary("+", Number(-300.0, duration=True), Number(3600.0, duration=True))


def test_ranges_may_be_anchored_or_smoothed() -> None:
    assert selector("x[5m] anchored").mode == "anchored"
    assert selector("x smoothed offset 5m") == selector("x offset 5m smoothed")


def test_vectors_are_matched_as_written() -> None:
    def matching(text: str) -> Matching | None:
        expr = parse(text)
        assert isinstance(expr, Binary)
        return expr.matching

    assert matching("a + b") == Matching()
    assert matching("a + on (job, 'x.y') b") == Matching(on=True, labels=("job", "x.y"))
    assert matching("a / ignoring (code) group_left b") == Matching("many-to-one", labels=("code",))
    assert matching("a / on () group_right (x) b") == Matching("one-to-many", True, (), ("x",))
    assert matching("a and on (job) b") == Matching("many-to-many", True, ("job",))
    assert matching("a + 1") is None
    assert matching("a + fill(0) b") == Matching(fill_left=0.0, fill_right=0.0)
    assert matching("a + on (job) group_left fill_left (-1) b") == Matching("many-to-one", True, ("job",), fill_left=-1.0)
    assert matching("a + fill_right(2) fill_left(1) b") == Matching(fill_left=1.0, fill_right=2.0)


def test_comparisons_may_answer_with_a_bool() -> None:
    found = parse("a == bool on (x) b")
    assert isinstance(found, Binary)
    assert found.bool_modifier
    assert parse("1 < bool 2")


def test_grouping_stands_before_or_after_the_arguments() -> None:
    assert parse("topk(5, x) without (a, b,)") == parse("topk without (a, b) (5, x)")
    assert parse("count_values('version', x)") == Aggregate("count_values", parse("x"), String("version"))


def test_every_node_knows_where_it_stands() -> None:
    text = "sum by (job) (rate(x{a='b'}[5m] offset 1h)) / -(y + 2.5)"

    def shown(expr: Expr) -> str:
        return text[expr.span[0] : expr.span[1]]

    whole = parse(text)
    assert isinstance(whole, Binary)
    assert shown(whole) == text
    assert text[slice(*whole.op_span)] == "/"
    assert shown(whole.left) == "sum by (job) (rate(x{a='b'}[5m] offset 1h))"
    assert isinstance(whole.left, Aggregate)
    call = whole.left.expr
    assert isinstance(call, Call)
    assert (shown(call), shown(call.args[0])) == ("rate(x{a='b'}[5m] offset 1h)", "x{a='b'}[5m] offset 1h")
    assert isinstance(whole.right, Unary)
    assert (shown(whole.right), shown(whole.right.expr)) == ("-(y + 2.5)", "(y + 2.5)")


def test_info_takes_a_bare_selector_that_may_be_empty() -> None:
    assert parse("info(x, {})")
    assert parse('info(rate(x[5m]), {__name__=~".+_info", version=~".*"})')


@pytest.mark.parametrize(
    "text",
    [
        "(" * 200 + "1" + ")" * 200,
        "-" * 5000 + "1",
        "1" + " ^ 1" * 500,
        "a" + " + a" * 500,
        "abs(" * 150 + "x" + ")" * 150,
        "sum(" * 1000,
        "x[" + "(" * 300,
        "x[" + "1s + (" * 200,
        "a" + "[5m:]" * 5000,
    ],
)
def test_deep_nesting_is_an_error_and_no_crash(text: str) -> None:
    with pytest.raises(ParseError, match="nested deeper than 100 levels"):
        parse(text)


def test_a_hundred_levels_are_read() -> None:
    assert parse("(" * 90 + "1" + ")" * 90)
    assert parse("a" + " + a" * 90)


def test_long_texts_are_refused_before_they_are_read() -> None:
    with pytest.raises(ParseError, match="has 65537 characters"):
        parse("a" * 65537)
    assert parse("a" * 65536)
