"""The table of functions: every example works, every sentence is one, and types are checked by it."""

from __future__ import annotations

import pytest

from monitor.query.ast import Aggregate, Call, Expr
from monitor.query.history import ParseError
from monitor.query.lexer import AGGREGATIONS as AGGREGATION_WORDS
from monitor.query.lexer import KEYWORDS, OPERATORS, SPECIAL_CALLS, WORD_OPERATORS
from monitor.query.parse import parse
from monitor.query.signatures import AGGREGATIONS, FUNCTIONS, PARAMETER_AGGREGATIONS, SYMBOLS, WORDS, Signature
from monitor.query.typecheck import type_of

SAMPLES = {"vector": "x", "matrix": "x[5m]", "scalar": "1", "string": "'a'"}
EVERY = [*FUNCTIONS.values(), *AGGREGATIONS.values()]


def names(expr: object) -> set[str]:
    """The functions and aggregations used anywhere in an expression."""
    found = {expr.func} if isinstance(expr, Call) else {expr.op} if isinstance(expr, Aggregate) else set()
    if not isinstance(expr, Expr):
        return found
    parts = [getattr(expr, name) for name in expr.__dataclass_fields__]
    children = [child for part in parts for child in (part if isinstance(part, tuple) else [part])]
    return found.union(*(names(child) for child in children))


@pytest.mark.parametrize("signature", EVERY, ids=lambda signature: signature.name)
def test_an_example_shows_its_function_and_is_read(signature: Signature) -> None:
    assert signature.name in names(parse(signature.example))
    assert signature.help.endswith(".")
    assert signature.help[0].isupper() or signature.help[0] in "1e"


@pytest.mark.parametrize("signature", FUNCTIONS.values(), ids=lambda signature: signature.name)
def test_a_function_takes_what_its_signature_says_and_no_less_or_more(signature: Signature) -> None:
    def call(count: int) -> str:
        kinds = signature.types or ("scalar",)
        given = [SAMPLES[kinds[min(n, len(kinds) - 1)]] for n in range(count)]
        if signature.name == "info" and count > 1:
            given[1] = "{a='b'}"
        return f"{signature.name}({', '.join(given)})"

    most = 20 if signature.most is None else signature.most
    assert {type_of(parse(call(count))) for count in range(signature.least, most + 1)} == {signature.returns}
    refused = [count for count in (signature.least - 1, most + 1) if count >= 0 and (count < most or signature.most is not None)]
    for count in refused:
        with pytest.raises(ParseError, match=rf'argument\(s\) in call to "{signature.name}"'):
            parse(call(count))


def test_signatures_are_shown_as_people_read_them() -> None:
    assert str(FUNCTIONS["clamp"]) == "clamp(v instant-vector, min scalar, max scalar)"
    assert str(FUNCTIONS["round"]) == "round(v instant-vector, to scalar?)"
    assert str(FUNCTIONS["label_join"]) == "label_join(v instant-vector, target string, separator string, source string …)"
    assert str(AGGREGATIONS["topk"]) == "topk(k scalar, v instant-vector)"
    assert str(FUNCTIONS["time"]) == "time()"


def test_every_word_of_the_language_has_help() -> None:
    assert set(AGGREGATIONS) == AGGREGATION_WORDS
    assert set(WORDS) == KEYWORDS | WORD_OPERATORS
    assert set(SYMBOLS) == (OPERATORS - WORD_OPERATORS) | {"@"}
    assert set(FUNCTIONS) >= SPECIAL_CALLS
    assert sorted(PARAMETER_AGGREGATIONS) == ["bottomk", "count_values", "limit_ratio", "limitk", "quantile", "topk"]


def test_what_prometheus_has_behind_a_flag_is_marked() -> None:
    assert FUNCTIONS["mad_over_time"].experimental
    assert AGGREGATIONS["limitk"].experimental
    assert not FUNCTIONS["rate"].experimental
