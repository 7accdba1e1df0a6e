"""Errors for people: one sentence, and the corrected text where it is obvious."""

from __future__ import annotations

import pytest

from monitor.query.explain import explain
from monitor.query.history import ParseError
from monitor.query.parse import parse


def refused(text: str) -> ParseError:
    with pytest.raises(ParseError) as raised:
        parse(text)
    return raised.value


@pytest.mark.parametrize(
    ("text", "sentence", "fix"),
    [
        ("rate(x)", "`rate` needs a range. Write x[1m].", "rate(x[1m])"),
        ("rate(x{a='b'} offset 1h)", "`rate` needs a range. Write x{a='b'}[1m] offset 1h.", "rate(x{a='b'}[1m] offset 1h)"),
        ("deriv(sum(x))", "`deriv` needs a range. Over an expression write a subquery: sum(x)[1h:1m].", "deriv(sum(x)[1h:1m])"),
        ("deriv(x + y)", "`deriv` needs a range. Over an expression write a subquery: (x + y)[1h:1m].", "deriv((x + y)[1h:1m])"),
        ("sum(x[5m])", "An aggregation takes no range. Write x, or a function over the range such as rate(x[5m]).", "sum(x)"),
        ("abs(1)", "`abs` takes series, not a number. Write vector(1).", "abs(vector(1))"),
        ("rat(x[5m])", "There is no function `rat`. Did you mean rate?", "rate(x[5m])"),
        ("RATE(x[5m])", "There is no function `RATE`. Did you mean rate?", "rate(x[5m])"),
        ("smu(x)", "There is no function `smu`.", ""),
        ("histogram_quntile(.9, x)", "There is no function `histogram_quntile`. Did you mean histogram_quantile?", ""),
        ("clamp(x, 1)", "`clamp` is written clamp(v instant-vector, min scalar, max scalar).", ""),
        ("topk(x)", "`topk` is written topk(k scalar, v instant-vector).", ""),
        ("sum(rate(x[5m])", "A ( is never closed with ).", "sum(rate(x[5m]))"),
        ("rate(x[", "A duration is missing after [, such as [1m].", "rate(x[1m])"),
        ("x{a='b'", "A { is never closed with }.", "x{a='b'}"),
        ("(1))", "This ) closes nothing. Take it away.", "(1)"),
        ("x{a='b}", "A text begins with ' and never ends with '.", ""),
        (" ", "Nothing is asked yet. Write a metric, such as up.", ""),
        ("{}", "A selector must name something: a metric, or a label with a value that is not empty.", ""),
        ("sum(x,)", "An argument is missing after this comma.", "sum(x)"),
        ("1 == 2", "Two numbers are compared with == bool, which gives 0 or 1.", "1 == bool 2"),
        ("x{a=b}", 'A label\'s value stands in quotes. Write "b".', 'x{a="b"}'),
        ("x{a=='b'}", "A matcher is written with one =.", "x{a='b'}"),
        ("(a + b)[5m]", "A range over an expression is a subquery, written with a colon: [5m:].", "(a + b)[5m:]"),
        ("x offset 1h [5m]", "The range goes before offset: x[5m] offset ….", ""),
        ("x[5m1h]", "`5m1h` is no duration. Write 30s, 5m, 1h30m or 7d: largest unit first, each once.", ""),
        ("rate(a.b.c[5m])", 'A name with dots stands in quotes and braces. Write {"a.b.c"}.', 'rate({"a.b.c"}[5m])'),
        ("a.b{c='d'} + 1", 'A name with dots stands in quotes and braces. Write {"a.b"}.', "{\"a.b\", c='d'} + 1"),
        ("sum(x) witout (a)", "`witout` cannot stand here. Did you mean without?", "sum(x) without (a)"),
        ("a b", "An operator is missing before `b`.", ""),
        ("x{a=~'('}", "The regular expression cannot be read: missing ): (.", ""),
        ("sum by", 'The expression ends too early: "(" should follow.', ""),
    ],
)
def test_an_error_is_explained_in_a_sentence(text: str, sentence: str, fix: str) -> None:
    error = refused(text)
    assert explain(error) == sentence
    if fix:
        assert error.fix == fix
        assert parse(error.fix)


def test_a_correction_that_would_get_no_further_is_not_offered() -> None:
    error = refused("abs(rate(x), y)")
    explain(error)
    assert error.fix == ""
    helps = refused("rate(x) + rate(y)")
    explain(helps)
    assert helps.fix == "rate(x[1m]) + rate(y)"  # one step nearer, and the next is explained then


def test_what_there_is_no_rule_for_is_told_as_it_is() -> None:
    assert explain(refused("a == \n 1 1")) == 'Unexpected number "1" (line 2, column 4).'
    assert explain(refused("a offset 1h offset 1h")) == "Offset may not be set multiple times (column 1)."
