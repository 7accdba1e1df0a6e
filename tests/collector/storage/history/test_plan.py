"""Which tier answers what."""

from __future__ import annotations

import pytest

from collector.storage.history.chunk_table import GREATEST, LAST, SUM
from collector.storage.history.plan import Layer, areas, coarsest, exact_tier, field_of
from monitor.query.history import Hints

NOTHING = -(1 << 62)
MINUTE, HOUR = 60_000, 3_600_000


@pytest.mark.parametrize(
    ("hints", "tier"),
    [
        (Hints(step=15_000, first=15_000), 0),
        (Hints(step=10_000, first=10_000), 1),
        (Hints(step=MINUTE, first=MINUTE), 2),
        (Hints(step=MINUTE, first=MINUTE + 1), 0),
        (Hints(step=HOUR, first=HOUR), 2),  # five minutes of look-back are not whole hours
        (Hints(step=HOUR, first=HOUR, lookback=HOUR), 3),
        (Hints(step=0, first=HOUR, lookback=HOUR), 3),
        (Hints(step=HOUR), 0),  # nobody said when it is evaluated
        (Hints(step=MINUTE, first=MINUTE, func="timestamp"), 0),
        (Hints(step=MINUTE, first=MINUTE, func="smoothed"), 0),
        (Hints(step=MINUTE, first=MINUTE, range=5 * MINUTE, func="max_over_time"), 2),
        (Hints(step=MINUTE, first=MINUTE, range=90_000, func="max_over_time"), 1),
        (Hints(step=MINUTE, first=MINUTE, range=5 * MINUTE, func="rate"), 0),
        (Hints(step=MINUTE, first=MINUTE, range=5 * MINUTE, func="count_over_time"), 0),
    ],
)
def test_a_tier_is_exact_where_everything_ends_on_its_buckets(hints: Hints, tier: int) -> None:
    assert exact_tier(hints, counter=False) == tier


def test_of_counters_only_the_last_is_kept() -> None:
    highest = Hints(step=MINUTE, first=MINUTE, range=MINUTE, func="max_over_time")
    assert (exact_tier(highest, counter=True), exact_tier(highest, counter=False)) == (0, 2)
    assert (field_of(highest), field_of(Hints(func="max_over_time"))) == (GREATEST, LAST)


def test_where_samples_are_gone_the_finest_tier_left_answers() -> None:
    floors = [1000 * HOUR, 500 * HOUR, NOTHING, NOTHING]
    plan = areas(400 * HOUR, 1100 * HOUR, floors, 0, SUM, ())
    assert [(a.start // HOUR, a.end // HOUR, a.layers) for a in plan] == [
        (399, 500, (Layer(2, SUM), Layer(2, LAST), Layer(3, SUM), Layer(3, LAST))),
        (500, 1000, (Layer(1, SUM), Layer(1, LAST), Layer(2, SUM), Layer(2, LAST), Layer(3, SUM), Layer(3, LAST))),
        (1000, 1100, (Layer(0, LAST),)),
    ]
    resolution, words = coarsest({0: 1100 * HOUR, 1: 1000 * HOUR, 2: 500 * HOUR}, 0)
    assert resolution == MINUTE
    assert words == "before 1970-01-21 20:00 UTC only one value every 1 m is kept"


def test_an_exact_tier_is_not_asked_where_it_may_be_behind() -> None:
    plan = areas(1, 100 * HOUR, [NOTHING] * 4, 2, LAST, ((50 * HOUR, 54 * HOUR), (96 * HOUR, 104 * HOUR)))
    assert [(a.start // HOUR, a.end // HOUR, [layer.tier for layer in a.layers]) for a in plan] == [
        (0, 50, [2, 0]),
        (50, 54, [0]),
        (54, 96, [2, 0]),
        (96, 100, [0]),
    ]
    assert coarsest({0: 100 * HOUR, 2: 54 * HOUR}, 2) == (0, "")
