from __future__ import annotations

import pytest

from monitor.model.series import Kind
from monitor.wire import messages as m
from tests.ui.views.conftest import Stage, words
from ui.views.explore import MAX_PICKED
from ui.views.view import ExploreView


def view(stage: Stage) -> ExploreView:
    stage.session.go("explore")
    explore = stage.session.picture().explore
    assert explore is not None
    return explore


@pytest.fixture
def lab(demo: Stage) -> Stage:
    demo.press("2")
    demo.tick(3)
    return demo


def pick(stage: Stage, *searches: str) -> ExploreView:
    for text in searches:
        stage.session.set_text("search", text)
        stage.session.submit("search")
    stage.settle()
    stage.tick(2)
    return view(stage)


def test_series_are_found_by_words_and_by_tags(lab: Stage) -> None:
    assert view(lab).found == "175 series"
    lab.session.set_text("search", "latency orders env=prod")
    assert [r.tags for r in view(lab).results] == ["service=orders, env=prod", "service=orders-db, env=prod"]
    assert view(lab).found == "2 of 175 series"
    lab.session.set_text("search", "service=orders kind:counter")
    assert {r.kind for r in view(lab).results} == {"counter"}
    lab.session.set_text("search", "name=~shop.* -service")
    assert {r.name for r in view(lab).results} == {"shop.queue.depth", "shop.cache.hits", "shop.cache.misses"}


def test_the_series_under_the_cursor_is_shown_until_one_is_picked(lab: Stage) -> None:
    lab.session.set_text("search", "latency service=orders")
    lab.tick(2)
    shown = view(lab)
    assert shown.preview
    assert shown.picked == ()
    assert {row.picked for row in shown.results} == {""}
    (line,) = shown.chart.lines
    assert "orders" in line.full_name
    lab.session.set_text("search", "latency orders")
    lab.press("j")
    lab.tick(1)
    assert "orders-db" in view(lab).chart.lines[0].full_name
    lab.press("x", "k")
    lab.tick(1)
    assert not view(lab).preview
    assert "orders-db" in view(lab).chart.lines[0].full_name


def test_a_cursor_in_a_hurry_does_not_ask_for_every_series_it_passes(lab: Stage) -> None:
    lab.tick(2)
    before = len(lab.session.ctx.feeds)
    for _ in range(30):
        lab.press("j")
    assert len(lab.session.ctx.feeds) <= before + 1
    lab.tick(2)
    assert view(lab).chart.lines


def test_results_carry_their_value_and_what_fires_on_them(lab: Stage) -> None:
    lab.session.set_text("search", "shop.latency service=orders-db")
    row = view(lab).results[0]
    assert row.shape == "critical"
    assert row.value.unit == "s"
    assert row.rate.unit == "/s"


def test_a_search_that_finds_nothing_suggests_what_was_meant(lab: Stage) -> None:
    lab.session.set_text("search", "latencie")
    assert view(lab).found == "No series match latencie. Did you mean latency?"
    lab.session.set_text("search", "service=~(")
    assert view(lab).search_error.startswith("Column 10: ")
    assert view(lab).found


def test_colours_go_by_the_order_of_picking_and_a_freed_one_is_used_again(lab: Stage) -> None:
    explore = pick(lab, "latency service=cart", "latency service=edge", "latency service=search")
    assert [r.picked for r in explore.picked] == ["series-1", "series-2", "series-3"]
    assert [line.colour for line in explore.chart.lines] == ["series-1", "series-2", "series-3"]
    assert [line.name for line in explore.chart.lines] == ["cart", "edge", "search"]
    explore = pick(lab, "latency service=edge", "latency service=payments")
    assert [r.picked for r in explore.picked] == ["series-1", "series-3", "series-2"]


def test_eight_series_are_the_most(lab: Stage) -> None:
    lab.session.set_text("search", "shop.requests")
    for _ in range(9):
        lab.press("x", "j")
    assert len(view(lab).picked) == MAX_PICKED
    assert lab.toast == "8 series are on the chart. Take one off first."


def test_the_chart_speaks_and_the_table_has_its_figures(lab: Stage) -> None:
    explore = pick(lab, "latency service=orders-db")
    assert explore.chart.title == "shop.latency, p99 over 1 min"
    assert explore.chart.log
    assert words(explore.chart.sentence).startswith("1.9")
    name, colour, last, low, mean, high = explore.table[0]
    assert (name, colour) == ("shop.latency service=orders-db, env=prod", "series-1")
    assert last.unit == high.unit == "s"
    assert low.unit == "ms"
    assert mean.number != "no data"


def test_windows_and_fields_come_from_the_collector_and_the_kind(lab: Stage) -> None:
    explore = pick(lab, "latency service=cart")
    assert explore.windows == ("1 m", "5 m", "15 m", "1 h")
    assert "p95" in explore.fields
    lab.session.choose("window", "15 m")
    lab.session.choose("field", "p95")
    assert view(lab).chart.title == "shop.latency, p95 over 15 min"
    lab.press("w", "f")
    assert (view(lab).window, view(lab).field) == ("1 h", "p99")
    explore = pick(lab, "host.cpu.busy -pick")
    assert "p95" not in explore.fields
    lab.session.choose("field", "nonsense")
    assert view(lab).field == "p99"


def test_series_picked_share_subscriptions_with_who_asked_before(lab: Stage) -> None:
    pick(lab, "latency service=cart", "latency service=edge")
    count = len(lab.mirror.subscriptions)
    pick(lab, "latency service=cart")
    pick(lab, "latency service=cart")
    assert len(lab.mirror.subscriptions) == count


def test_the_crosshair_reads_every_line_and_moves_by_key(lab: Stage) -> None:
    pick(lab, "latency service=cart", "latency service=edge")
    assert view(lab).readout is None
    lab.session.crosshair(lab.fake.now - 600)
    explore = view(lab)
    assert explore.readout is not None
    when, rows = explore.readout
    assert when.endswith("· 10 min ago")
    assert [name for name, _, _ in rows] == ["cart", "edge"]
    assert all(value.unit for _, _, value in rows)
    lab.press("left")
    assert view(lab).crosshair == pytest.approx(lab.fake.now - 615, abs=1)
    lab.press("escape")
    assert view(lab).readout is None


def test_zoom_halves_round_the_crosshair_and_stands_still(lab: Stage) -> None:
    pick(lab, "latency service=cart")
    start, end = view(lab).chart.x
    lab.session.crosshair(start + 900)
    lab.press("z")
    explore = view(lab)
    assert explore.frozen
    assert explore.chart.x == (start + 450, start + 1350)
    lab.press("shift+z")
    lab.press("l")
    assert not view(lab).frozen
    assert view(lab).chart.x[1] == end


def test_series_of_different_units_are_drawn_as_shares(lab: Stage) -> None:
    explore = pick(lab, "host.cpu.busy -pick", "host.memory.used")
    assert explore.note.startswith("Units differ")


def test_a_series_that_is_gone_is_named_and_does_no_harm(lab: Stage) -> None:
    pick(lab, "shop.queue.depth")
    lab.fake.remove("shop.queue.depth", {"queue": "events"})
    lab.tick(3)
    explore = view(lab)
    assert explore.picked[0].shape == "unknown"
    assert explore.note.startswith("1 series picked is gone")
    assert explore.chart.empty == "The series picked are gone."


def test_a_rule_can_be_started_on_what_is_charted(lab: Stage) -> None:
    pick(lab, "latency service=cart")
    lab.session.choose("field", "p95")
    lab.press("t")
    rules = lab.session.picture().rules
    assert rules is not None
    assert rules.editing
    assert rules.editor is not None
    assert rules.editor.rule_id == "shop_latency"
    assert 'field = "p95"' in rules.editor.text
    assert rules.editor.problems == ()
    assert rules.editor.can_save


def test_ten_thousand_series_are_searched_and_shown(empty: Stage) -> None:
    entries = tuple(
        m.SeriesEntry(i, f"load.metric{i % 100}", (("host", f"web-{i}"), ("zone", "eu")), Kind.GAUGE) for i in range(10_000)
    )
    empty.mirror.apply(m.Series(1, 0, entries))
    empty.session.changed({"series"})
    explore = view(empty)
    assert explore.found == "10,000 series, the first 500 listed"
    assert len(explore.results) == 100
    empty.session.set_text("search", "web-9999")
    assert [r.tags for r in view(empty).results] == ["host=web-9999, zone=eu"]
    empty.session.set_text("search", "web zone=eu")
    empty.press("end")
    explore = view(empty)
    assert explore.found == "10,000 of 10,000 series, the first 500 listed"
    assert explore.cursor == 499
    assert len(explore.results) == 500
