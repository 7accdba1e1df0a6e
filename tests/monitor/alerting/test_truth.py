from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerting.truth import ExpressionError, Node, Truth, read_expression

NAMES = ("a", "b-1", "c.d")


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    kind = draw(st.sampled_from(("rule", "not", "and", "or", "at_least") if depth else ("rule",)))
    part = expressions(depth - 1) if depth else st.nothing()
    if kind == "rule":
        return draw(st.sampled_from(NAMES))
    if kind == "not":
        return f"{draw(st.sampled_from(('not ', '!')))}({draw(part)})"
    parts = draw(st.lists(part, min_size=2, max_size=3))
    if kind == "at_least":
        return f"at_least({draw(st.integers(1, len(parts)))}, {', '.join(parts)})"
    sign = draw(st.sampled_from({"and": (" and ", "&&"), "or": (" or ", " || ")}[kind]))
    return "(" + sign.join(parts) + ")"


def _worlds(states: dict[str, Truth]) -> list[dict[str, bool]]:
    """Every way in which what is not known may be."""
    ways = [[value] if value is not None else [True, False] for value in states.values()]
    return [dict(zip(states, each, strict=True)) for each in itertools.product(*ways)]


def _plainly(node: Node, world: dict[str, bool]) -> bool:
    parts = [_plainly(part, world) for part in node.parts]
    if node.kind == "rule":
        return world[node.name]
    if node.kind == "not":
        return not parts[0]
    return sum(parts) >= {"and": len(parts), "or": 1, "at_least": node.count}[node.kind]


@given(expressions(), st.fixed_dictionaries({name: st.sampled_from((True, False, None)) for name in NAMES}))
def test_what_is_said_for_sure_is_so_however_the_unknown_turns_out(text: str, states: dict[str, Truth]) -> None:
    node = read_expression(text)
    answer = node.judge(states.__getitem__)
    ways = {_plainly(node, world) for world in _worlds(states)}
    if answer is not None:
        assert ways == {answer}
    if None not in states.values():
        assert answer in ways


@pytest.mark.parametrize(("text", "words", "column"), [
    ("", "missing at the end", 1),
    ("a and", "missing at the end", 6),
    ("a b", "between two rules", 3),
    ("(a or b", ") is missing", 8),
    ("a and and b", "missing before 'and'", 7),
    ("at_least(x, a)", "needs a number", 10),
    ("at_least(3, a, b)", "never holds", 10),
    ("a & b", "write and, or", 3),
    ("a + b", "unexpected '+'", 2),
    ("(" * 60 + "a" + ")" * 60, "nested", 51),
    ("a" * 3000, "characters", 1),
])  # fmt: skip
def test_an_expression_that_cannot_be_read_says_where_and_why(text: str, words: str, column: int) -> None:
    with pytest.raises(ExpressionError) as raised:
        read_expression(text)
    assert words in str(raised.value)
    assert raised.value.column == column


def test_and_binds_closer_than_or() -> None:
    assert read_expression("a or b-1 and c.d") == read_expression("a or (b-1 and c.d)")
    assert list(read_expression("a or not (b-1 and a)").rules()) == ["a", "b-1", "a"]
