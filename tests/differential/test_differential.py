"""300 queries, the same samples: what Debian's Prometheus answers is what we answer."""

from __future__ import annotations

import pytest

from tests.differential.compare import difference
from tests.differential.queries import questions
from tests.differential.run import KEEPERS, outcomes

MOST_EXPLAINED = 10

pytestmark = pytest.mark.peer


@pytest.mark.parametrize("keeper", sorted(KEEPERS))
def test_answers_are_those_of_prometheus(keeper: str) -> None:
    found = list(outcomes(keeper=keeper))
    assert len(found) == 300
    unknown = [f"{outcome.question}: {outcome.differs}" for outcome in found if not outcome.good]
    assert not unknown, "\n".join(unknown)
    explained = [outcome for outcome in found if outcome.differs]
    assert len(explained) <= MOST_EXPLAINED, "\n".join(f"{outcome.question}: {outcome.reason}" for outcome in explained)


def test_the_questions_are_the_same_every_time_and_no_two_are() -> None:
    asked = questions()
    assert asked == questions()
    assert len({question.text for question in asked}) == 300


def vector(*values: tuple[str, str]) -> dict[str, object]:
    result = [{"metric": {"a": name}, "value": [1, value]} for name, value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


@pytest.mark.parametrize(
    ("ours", "theirs", "agree"),
    [
        (vector(("x", "1")), vector(("x", "1.0000000001")), True),
        (vector(("x", "1")), vector(("x", "1.00000001")), False),
        (vector(("x", "NaN")), vector(("x", "NaN")), True),
        (vector(("x", "NaN")), vector(("x", "1")), False),
        (vector(("x", "+Inf")), vector(("x", "-Inf")), False),
        (vector(("x", "1"), ("y", "2")), vector(("y", "2"), ("x", "1")), True),
        (vector(("x", "1")), vector(), False),
        (vector(), vector(("x", "1")), False),
        (vector(("x", "1"), ("x", "1")), vector(("x", "1")), False),
        (vector(), {"status": "error", "errorType": "bad_data", "error": "no"}, False),
        (
            {"status": "error", "errorType": "bad_data", "error": "this"},
            {"status": "error", "errorType": "bad_data", "error": "that"},
            True,
        ),
    ],
)
def test_the_comparison_sees_what_differs(ours: dict[str, object], theirs: dict[str, object], agree: bool) -> None:
    assert (difference(ours, theirs) == "") is agree
