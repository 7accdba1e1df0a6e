"""Numbers and summaries as people read them."""

from __future__ import annotations

import pytest

from monitor.alerting.wording import number_text
from tests.monitor.alerting.fakes import Stage, make_rule


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "no data"),
        (float("nan"), "no data"),
        (0, "0"),
        (101.0, "101"),
        (1234567, "1,234,567"),
        (99.956, "99.96"),
        (12345.678, "12,346"),
        (0.0123456, "0.01235"),
        (-3.5, "-3.5"),
        (1e20, "1e+20"),
        (float("inf"), "inf"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number_text(value) == text


def test_a_summary_is_filled_in_and_foreign_braces_stay_text() -> None:
    rule = make_rule(more='name = "Slow"\nsummary = "{name}: {labels.s} {value} > {threshold} {labels.none}|{severity}"')
    stage = Stage(rule)
    outcome = stage.at(0, **{"{value}{0.__class__}": 11.25})
    assert outcome.notifications[0].text == "Slow: {value}{0.__class__} 11.25 > 10 |warning"
