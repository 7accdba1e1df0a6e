from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.views.filter import Filter, FilterError, attempt, parse

TAGS = {"service": "orders-db", "severity": "critical", "env": "prod"}
TEXT = "queries are slow service=orders-db env=prod severity=critical"


def passes(text: str) -> bool:
    return parse(text).matches(TEXT, TAGS.get)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "slow",
        "SLOW queries",
        "slow -checkout",
        "severity:crit",
        "service=orders-db",
        "service=~orders.*",
        "service!=checkout",
        "service!~check.*",
        "-service:checkout",
        '"are slow"',
        "service:'orders'",
        "region=''",
    ],
)
def test_these_filters_let_the_alert_pass(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize("text", ["fast", "-slow", "severity:warning", "service=orders", "service=~orders", "-severity:critical"])
def test_these_filters_do_not(text: str) -> None:
    assert not passes(text)


@pytest.mark.parametrize(
    ("text", "column"), [('slow service=~"("', 15), ("severity:", 10), ("slow -", 7), ('"open', 1), ("a" * 600, 513)]
)
def test_an_error_names_its_column(text: str, column: int) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.column == column
    assert str(caught.value).startswith(f"Column {column}: ")


def test_while_a_term_is_typed_the_last_good_filter_holds() -> None:
    good, problem = attempt("severity:critical", Filter())
    assert problem == ""
    held, problem = attempt("severity:critical env=~(", good)
    assert held == good
    assert problem.startswith("Column 24: ")


@given(st.text(max_size=80))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    found, problem = attempt(text, Filter())
    assert problem == "" or problem.startswith("Column ")
    found.matches(TEXT, TAGS.get)
