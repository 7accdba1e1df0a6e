from __future__ import annotations

import numpy as np
import pytest

from tests.ui.views.conftest import words
from ui.views.chart import Chart, Charts, build
from ui.views.format import Words
from ui.views.lines import Track
from ui.views.sentence import Limit
from ui.views.units import BYTES, PERCENT, PLAIN, SECONDS, Unit
from ui.views.view import ChartView, Floats

START = 1_700_000_000.0
T = START + np.arange(1800.0)
RANDOM = np.random.default_rng(7)


def chart(
    *values: Floats, unit: Unit = PERCENT, end: float = T[-1], limits: tuple[Limit, ...] = (), points: int = 300
) -> ChartView:
    tracks = tuple(Track(f"line {i}", T[: len(v)], v, unit, f"series-{i}") for i, v in enumerate(values, 1))
    return build(Chart("a", "CPU", tracks, (START, end), Words(), points=points, limits=limits))


def calm(level: float = 30.0) -> Floats:
    return level + RANDOM.normal(0, 1, 1800)


def test_a_calm_line_is_about_as_usual() -> None:
    assert words(chart(calm()).sentence).endswith("%, about as usual over the last 30 min.")


def test_a_change_is_said_with_its_factor() -> None:
    values = calm()
    values[1700:] = 95.0
    view = chart(values)
    assert words(view.sentence).startswith("95 %, 3.")
    assert words(view.sentence).endswith(" times 15 min ago.")
    assert [run.strong for run in view.sentence] == [False, True, False]


def test_a_broken_limit_says_for_how_long() -> None:
    values = calm(10.0)
    values[1200:] = 25.0
    view = chart(values, limits=(Limit(20.0, "gt", "critical"),))
    assert words(view.sentence) == "25 %; above the 20 % limit for 9 min 59 s."
    assert view.broken == ((T[1200], T[-1], "critical"),)
    assert view.last.shape == "critical"
    assert view.threshold[0].label == "limit 20 %"


def test_a_limit_that_is_kept_says_so() -> None:
    values = calm(10.0)
    assert words(chart(values, limits=(Limit(20.0),)).sentence).endswith(", below the 20 % limit.")
    values[100:200] = 25.0
    assert "below the 20 % limit since 22:16" in words(chart(values, limits=(Limit(20.0),)).sentence)


def test_a_limit_below_which_it_fires_is_said_the_other_way() -> None:
    values = np.full(1800, 5.0)
    assert "below the 20 % limit" in words(chart(values, limits=(Limit(20.0, "lt"),)).sentence)


def test_little_data_are_called_little() -> None:
    assert words(chart(calm()[:130], end=T[129]).sentence).endswith("Only 2 min of data so far.")


def test_a_gap_is_named_and_never_bridged() -> None:
    values = calm()
    values[300:400] = np.nan
    view = chart(values)
    assert [g[2] for g in view.gaps] == ["No data from 22:18:19 to 22:20:00"]
    assert np.isnan(view.lines[0].values).sum() == 1
    assert words(view.sentence).endswith("No data from 22:18:19 to 22:20:00.")


def test_old_data_never_pass_for_new() -> None:
    view = chart(calm(), end=T[-1] + 60)
    assert view.stale
    assert view.last.shape == "unknown"
    assert view.gaps[-1][:2] == (T[-1], T[-1] + 60)
    assert words(view.sentence).startswith("No data since 22:43:19. It was ")


def test_an_empty_chart_says_why_and_still_has_axes() -> None:
    for view in (chart(), chart(np.full(1800, np.nan)), chart(np.empty(0))):
        assert view.empty == "No data in this range."
        assert view.sentence == ()
        assert view.x_ticks
        assert view.y_ticks
        assert view.y[0] < view.y[1]


def test_three_decades_of_durations_are_logarithmic() -> None:
    view = chart(np.geomspace(0.005, 5.0, 1800), unit=SECONDS)
    assert view.log
    assert [t.label for t in view.y_ticks] == ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]
    assert view.y == (-3.0, 1.0)
    assert view.lines[0].values.max() == pytest.approx(5.0)


def test_a_percentage_starts_at_zero_and_a_plain_level_far_from_zero_does_not() -> None:
    assert chart(calm()).y[0] == 0.0
    assert chart(20_000 + calm(), unit=PLAIN).y[0] > 0.0


def test_nothing_but_zeros_have_an_axis_that_can_be_read() -> None:
    view = chart(np.zeros(1800), unit=PLAIN)
    assert [t.label for t in view.y_ticks] == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert words(view.sentence) == "0, about as usual over the last 30 min."


def test_beyond_eight_lines_the_rest_is_an_envelope() -> None:
    view = chart(*(calm(10.0 * i) for i in range(1, 13)))
    assert len(view.lines) == 8
    assert view.others_count == 4
    assert view.others is not None
    _, low, high = view.others
    assert (low <= high).all()
    assert min(float(line.values.max()) for line in view.lines) > float(high.max())


def test_lines_of_different_units_share_an_axis_of_their_own_highest_values() -> None:
    tracks = (Track("cpu", T, calm(), PERCENT), Track("memory", T, 1e9 * calm(), BYTES))
    view = build(Chart("a", "both", tracks, (START, T[-1]), Words()))
    assert "Units differ" in view.note
    assert all(float(np.nanmax(line.values)) == pytest.approx(100.0) for line in view.lines)


def test_a_line_has_no_more_points_than_the_painter_has_room_for() -> None:
    view = chart(calm(), points=240)
    assert len(view.lines[0].times) <= 244


def test_a_chart_that_did_not_change_is_the_same_picture() -> None:
    charts = Charts()
    made = []

    def make() -> Chart:
        made.append(1)
        return Chart("a", "CPU", (), (START, T[-1]), Words())

    first = charts.get("a", 1, make)
    assert charts.get("a", 1, make) is first
    second = charts.get("a", 2, make)
    assert second.revision > first.revision
    assert len(made) == 2
