"""How far back expressions look."""

from __future__ import annotations

import pytest

from monitor.query.parse import parse
from monitor.query.reach import Reach, reach, selectors_of
from monitor.query.resolve import Bounds, resolved

MINUTE = 60_000


@pytest.mark.parametrize(
    ("text", "back", "fixed"),
    [
        ("1 + time()", 0, None),
        ("up", 5 * MINUTE, None),
        ("up offset 10m", 15 * MINUTE, None),
        ("rate(up[7m])", 7 * MINUTE, None),
        ("rate(up[7m] offset 3m) + up", 10 * MINUTE, None),
        ("rate(up[7m] offset -3m)", 4 * MINUTE, None),
        ("rate(up[7m] anchored)", 12 * MINUTE, None),
        ("max_over_time(rate(up[2m])[1h:1m])", 62 * MINUTE, None),
        ("max_over_time(up[1h:1m] offset 5m)", 70 * MINUTE, None),
        ("sum(up) / on () topk(scalar(up offset 1h), up)", 65 * MINUTE, None),
        ("up @ 1000", 0, 1_000_000 - 5 * MINUTE),
        ("rate(up[2m] @ 1000 offset 1m) + up", 5 * MINUTE, 1_000_000 - 3 * MINUTE),
        ("up @ start() - up @ 1000", 0, 1_000_000 - 5 * MINUTE),
        ("max_over_time((up @ 9000)[1h:1m] @ 1000)", 0, 9_000_000 - 5 * MINUTE),
        ("max_over_time(up[1h:1m] @ 9000)", 0, 9_000_000 - 65 * MINUTE),
        ("rate(up[2 * 3m])", 6 * MINUTE, None),
        ("info(rate(up[1m]))", 5 * MINUTE, None),
    ],
)
def test_the_oldest_sample_that_may_count(text: str, back: int, fixed: int | None) -> None:
    tree = resolved(parse(text), Bounds(2_000_000, 3_000_000, 1000))
    assert reach(tree, 5 * MINUTE) == Reach(back, fixed)


def test_what_is_covered() -> None:
    assert Reach(100).covered(1100, 1000)
    assert not Reach(100).covered(1099, 1000)
    assert not Reach(0, 999).covered(5000, 1000)
    assert Reach(0, 1000).covered(5000, 1000)


def test_all_selectors_are_found() -> None:
    tree = parse("sum by (x) (a) + on (x) quantile_over_time(scalar(b), c[1m:5s]) - (-d)")
    assert sorted(selector.name for selector in selectors_of(tree)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("info(up)", ["target_info", "up"]),
        ('info(up, {v="1"})', ["", "target_info", "up"]),
        ('info(up, {__name__="build_info"})', ["", "up"]),
    ],
)
def test_what_info_uses_unseen_is_found_too(text: str, names: list[str]) -> None:
    assert sorted(selector.name for selector in selectors_of(parse(text))) == names
