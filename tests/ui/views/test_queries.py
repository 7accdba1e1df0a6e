"""Explore's queries: written, run, shown, kept."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from monitor.wire import messages as m
from tests.ui.views.conftest import Stage, words
from ui.client.fake import FakeCollector
from ui.views.drafts import MemoryDrafts
from ui.views.queries import MAX_HISTORY
from ui.views.queryview import QueriesView
from ui.views.view import ExploreView, Floats


def view(stage: Stage) -> ExploreView:
    explore = stage.session.picture().explore
    assert explore is not None
    return explore


def queries(stage: Stage) -> QueriesView:
    found = view(stage).queries
    assert found is not None
    return found


@pytest.fixture
def lab(demo: Stage) -> Stage:
    demo.press("2")
    demo.tick(3)
    return demo


def write(stage: Stage, text: str, caret: int | None = None) -> None:
    stage.session.focus("query")
    stage.session.set_text("query", text, len(text) if caret is None else caret)


def typed(stage: Stage, key: str) -> bool:
    heard = stage.session.key(key, typing=True)
    stage.settle()
    return heard


def ask(stage: Stage, *texts: str) -> QueriesView:
    """Each text as a query of its own, run and answered."""
    for text in texts:
        stage.press("n")
        write(stage, text)
        assert typed(stage, "enter")
        stage.session.focus("")
    stage.tick(2)
    return queries(stage)


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def level(height: float, times: Floats) -> Floats:
    return np.full(len(times), height)


# ---------------------------------------------------------------- the way in


def test_without_a_query_explore_is_as_simple_as_before(lab: Stage) -> None:
    assert view(lab).queries is None
    assert view(lab).preview


def test_what_is_on_the_chart_becomes_queries_with_one_key(lab: Stage) -> None:
    lab.session.set_text("search", "shop.requests service=cart")
    lab.session.submit("search")
    lab.session.set_text("search", "shop.latency service=cart")
    lab.session.submit("search")
    lab.session.choose("window", "5 m")
    lab.tick()
    lab.press("e")
    assert [row.text for row in queries(lab).rows] == [
        'rate(shop_requests{env="prod", service="cart"}[5m])',
        'histogram_quantile(0.99, rate(shop_latency{env="prod", service="cart"}[5m]))',
    ]
    assert view(lab).picked == ()
    assert lab.session.picture().frame.focus == "query"
    lab.tick(2)
    assert len(view(lab).chart.lines) == 1
    assert [len(chart.lines) for chart in queries(lab).charts] == [1]


def test_with_queries_a_series_is_added_as_its_query_and_taken_off_again(lab: Stage) -> None:
    ask(lab, "vector(1)")
    lab.session.set_text("search", "host.cpu.busy -pick")
    lab.session.focus("")
    lab.session.point("explore", 0)
    lab.press("x")
    assert queries(lab).rows[1].text.startswith("host_cpu_busy{")
    lab.session.point("explore", 0)
    lab.press("x")
    assert len(queries(lab).rows) == 1


# ---------------------------------------------------------------- answers


def test_a_query_is_a_chart_with_the_unit_of_its_metric(lab: Stage) -> None:
    shown = ask(lab, "histogram_quantile(0.99, sum by (service) (rate(shop_latency[1m])))")
    chart = view(lab).chart
    assert shown.rows[0].note.startswith("9 series")
    assert {line.name for line in chart.lines} >= {"orders-db", "checkout"}
    assert any(tick.label.endswith(" s") for tick in chart.y_ticks)
    assert words(chart.sentence).startswith("2.0")
    assert "the highest of 9; the lowest is" in words(chart.sentence)
    assert chart.title == "histogram_quantile(0.99, sum by (service) (rate(shop_latency[1m])))"


def test_a_query_that_can_be_read_runs_by_itself_when_nobody_types(lab: Stage) -> None:
    lab.press("n")
    write(lab, "host_cpu_busy")
    lab.settle()
    assert not [r for r in lab.sent if isinstance(r, m.Query)]
    lab.tick(2)
    lab.tick(1)
    assert len(view(lab).chart.lines) == 2
    write(lab, "host_cpu_busy{")
    lab.tick(3)
    assert len(view(lab).chart.lines) == 2  # what cannot be read leaves the last answer


def test_a_live_chart_asks_once_a_step_and_a_standing_one_not_at_all(lab: Stage) -> None:
    ask(lab, "host_cpu_busy")
    for _ in range(12):  # what took long is asked for less often; here it takes no time
        lab.tick()
        lab.settle()
    before = len(lab.fake.asked)
    for _ in range(10):
        lab.tick()
        lab.settle()
    asked = [r for r in list(lab.fake.asked)[before:] if isinstance(r, m.Query)]
    assert [r.step for r in asked] == [5.0, 5.0]
    assert all(r.end % r.step == 0 and r.start % r.step == 0 for r in asked)
    lab.press("space")
    lab.tick(1)
    before = len(lab.fake.asked)
    for _ in range(15):
        lab.tick()
    assert len(lab.fake.asked) == before


def test_a_dear_answer_is_asked_for_less_often(lab: Stage) -> None:
    ask(lab, "host_cpu_busy")
    slow = lab.session.explore.deck.answers
    lab.tick()
    before = len(lab.fake.asked)
    for _ in range(40):  # each answer is a second under way
        lab.tick()
    asked = [r for r in list(lab.fake.asked)[before:] if isinstance(r, m.Query)]
    assert 2 <= len(asked) <= 4
    assert slow.waited((0, "range")) <= 1.0


def test_another_time_is_asked_for_at_once(lab: Stage) -> None:
    ask(lab, "host_cpu_busy")
    lab.press(",")
    lab.tick(1)
    start, _ = lab.session.ctx.span()
    last = [r for r in lab.fake.asked if isinstance(r, m.Query)][-1]
    assert last.start == start // 5 * 5
    assert view(lab).chart.lines[0].times[0] < start + 10


def test_zooming_asks_for_finer_steps(lab: Stage) -> None:
    ask(lab, "host_cpu_busy")
    assert queries(lab).step == "step 5 s"
    for _ in range(3):
        lab.press("z")
    lab.tick(2)
    assert queries(lab).step == "step 1 s"
    last = [request for request in lab.fake.asked if isinstance(request, m.Query)][-1]
    assert last.step == 1.0


def test_the_answer_to_an_older_text_never_takes_the_place_of_a_newer_ones(lab: Stage) -> None:
    held: list[tuple[m.Request, object]] = []
    ask(lab, "host_cpu_busy")
    lab.session.ctx.send = lambda request, callback: held.append((request, callback)) if isinstance(request, m.Query) else None
    write(lab, "host_cpu_busy + 1")
    typed(lab, "enter")
    lab.session.picture()
    write(lab, "host_cpu_busy + 2")
    typed(lab, "enter")
    lab.tick(6)
    (old, old_answer), (new, new_answer) = held[0], held[-1]
    assert isinstance(old, m.Query)
    assert isinstance(new, m.Query)
    assert (old.expr, new.expr) == ("host_cpu_busy + 1", "host_cpu_busy + 2")
    new_answer(lab.fake.answer_to(new))  # type: ignore[operator]
    shown = view(lab).chart.lines
    old_answer(lab.fake.answer_to(old))  # type: ignore[operator]
    assert view(lab).chart.title == "host_cpu_busy + 2"
    assert all(np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(shown, view(lab).chart.lines, strict=True))


def test_each_query_has_its_own_letter_and_colour_and_can_be_hidden(lab: Stage) -> None:
    shown = ask(lab, "rate(shop_requests[1m])", "sum(rate(shop_errors[1m]))")
    assert [(row.letter, row.colour) for row in shown.rows] == [("A", "series-1"), ("B", "series-2")]
    lines = view(lab).chart.lines
    assert {line.name[0] for line in lines} == {"A", "B"}
    assert len({line.colour for line in lines}) == len(lines) == 8
    assert [line.colour for line in lines if line.name[0] == "B"] == ["series-2"]
    assert view(lab).chart.title == "A, B"
    lab.session.point("queries", 0)
    lab.press("h")
    lab.tick(1)
    assert queries(lab).rows[0].hidden
    assert [line.name for line in view(lab).chart.lines] == ["B"]


def test_a_line_keeps_its_colour_while_others_come_and_go(lab: Stage) -> None:
    ask(lab, 'rate(shop_requests{service=~"cart|edge|orders"}[1m])')
    before = {line.name: line.colour for line in view(lab).chart.lines}
    lab.press("e")
    write(lab, 'rate(shop_requests{service=~"cart|catalog|edge|orders"}[1m])')
    typed(lab, "enter")
    lab.tick(2)
    after = {line.name: line.colour for line in view(lab).chart.lines}
    assert set(after) == {*before, "catalog"}
    assert all(after[name] == colour for name, colour in before.items())


def test_units_that_differ_have_a_chart_each(lab: Stage) -> None:
    shown = ask(lab, "host_cpu_busy", "sum(rate(shop_requests[1m]))", "sum(rate(shop_errors[1m]))", "host_memory_used")
    assert [chart.title for chart in (view(lab).chart, *shown.charts)] == ["A  host_cpu_busy", "B, C", "D  host_memory_used"]
    assert view(lab).chart.note == ""
    assert {tick.label[-1] for tick in view(lab).chart.y_ticks} == {"%"}
    assert any(tick.label.endswith("iB") for tick in shown.charts[1].y_ticks)


def test_a_letter_that_was_freed_is_given_again_and_undo_brings_a_query_back(lab: Stage) -> None:
    ask(lab, "host_cpu_busy", "vector(2)")
    lab.session.point("queries", 0)
    lab.press("delete")
    assert [row.letter for row in queries(lab).rows] == ["B"]
    lab.press("ctrl+z")
    assert [row.letter for row in queries(lab).rows] == ["A", "B"]
    lab.press("d")
    assert [row.letter for row in queries(lab).rows] == ["A", "B", "C"]


def test_eight_queries_are_the_most(lab: Stage) -> None:
    ask(lab, *("vector(1)",) * 8)
    lab.press("n")
    assert len(queries(lab).rows) == 8
    assert lab.toast == "There are 8 queries. Remove one first."


def test_of_very_many_series_the_eight_largest_are_lines_and_the_rest_one_ground(empty: Stage) -> None:
    for i in range(49):
        empty.fake.gauge("load", partial(level, float(i)), {"host": f"h{i:02}"})
    empty.press("2")
    empty.tick(2)
    ask(empty, "load", "max(load)")
    chart = view(empty).chart
    assert len(chart.lines) == 8
    assert chart.others_count == 42
    assert chart.others is not None
    assert "B load" in {line.name for line in chart.lines} or any(line.name.startswith("B") for line in chart.lines)


# ---------------------------------------------------------------- tables and histograms


def test_the_table_sorts_by_value_and_names_shared_labels_once(lab: Stage) -> None:
    ask(lab, "rate(shop_requests[1m])")
    lab.press("v")
    lab.tick(1)
    shown = queries(lab).table
    assert queries(lab).view == "table"
    assert shown is not None
    assert shown.columns == ("service",)
    assert shown.shared == "env=prod"
    assert shown.heads == ("Last", "Min", "Max", "Mean")
    assert [row.cells for row in shown.rows][:1] == [("edge",)]
    assert str(shown.rows[0].values[0]).endswith("/s")
    assert len(shown.rows) == 9


def test_rows_of_different_units_are_not_ranked_against_each_other(lab: Stage) -> None:
    ask(lab, 'histogram_quantile(0.5, rate(shop_latency{service=~"cart|orders"}[1m]))', "sum(rate(shop_requests[1m]))")
    lab.press("v")
    lab.tick(1)
    shown = queries(lab).table
    assert shown is not None
    assert [row.letter for row in shown.rows] == ["A", "A", "B"]
    assert shown.rows[2].cells[0] == "sum(rate(shop_requests[1m]))"


def test_a_moment_is_that_of_the_crosshair_else_the_newest(lab: Stage) -> None:
    ask(lab, "rate(shop_requests[1m])")
    lab.press("v", "v")
    lab.tick(2)
    shown = queries(lab).table
    assert shown is not None
    assert shown.heads == ("Value",)
    assert shown.at == f"at {lab.session.ctx.words.clock(lab.session.ctx.present())}"
    lab.session.crosshair(lab.fake.now - 600)
    lab.settle()
    lab.tick(1)
    last = next(r for r in reversed(lab.fake.asked) if isinstance(r, m.Query) and r.step == 0)
    assert last.end == pytest.approx(lab.fake.now - 601, abs=2)


def test_a_histogram_is_shown_as_bars_with_its_figures(lab: Stage) -> None:
    ask(lab, 'rate(shop_latency{service="cart"}[1m])')
    lab.tick(2)
    (bars,) = queries(lab).histograms
    assert bars.median.unit == "ms"
    assert bars.high.unit == "ms"
    assert bars.count.unit == "/s"
    assert len(bars.edges) == len(bars.counts) + 1 <= 41
    assert [mark.label for mark in bars.marks] == ["p50", "p99"]
    assert queries(lab).hint == "This is a histogram: a quantile makes a line of it."
    lab.press("alt+enter")
    lab.tick(2)
    assert queries(lab).rows[0].text == 'histogram_quantile(0.99, rate(shop_latency{service="cart"}[1m]))'
    assert queries(lab).histograms == ()
    assert len(view(lab).chart.lines) == 1


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ('shop_requests{service="cart"}', 'rate(shop_requests{service="cart"}[5m])'),
        ("shop_requests[5m]", "rate(shop_requests[5m])"),
        ("host_cpu_busy[5m]", "avg_over_time(host_cpu_busy[5m])"),
        ("shop_latency", "histogram_quantile(0.99, rate(shop_latency[5m]))"),
        ("sum(rate(shop_latency[1m]))", "histogram_quantile(0.99, sum(rate(shop_latency[1m])))"),
    ],
)
def test_what_would_say_more_is_one_key_away(lab: Stage, text: str, better: str) -> None:
    ask(lab, text)
    assert queries(lab).hint
    lab.press("alt+enter")
    assert queries(lab).rows[0].text == better
    assert queries(lab).hint == ""


# ---------------------------------------------------------------- completion


def offered(stage: Stage) -> list[str]:
    editor = queries(stage).editor
    assert editor is not None
    return [row.text for row in editor.completion.rows] if editor.completion is not None else []


def test_metrics_are_offered_with_kind_and_unit_and_written_as_promql_spells_them(lab: Stage) -> None:
    lab.press("n")
    write(lab, "sum(shop_lat")
    editor = queries(lab).editor
    assert editor is not None
    assert editor.completion is not None
    (row,) = editor.completion.rows
    assert (row.text, row.kind) == ("shop_latency", "metric")
    assert row.detail == "distribution, ms, 9 series"
    assert editor.completion.help == "Sent as shop.latency."
    assert typed(lab, "tab")
    assert queries(lab).rows[0].text == "sum(shop_latency"


def test_labels_and_their_values_are_offered_of_what_is_selected_so_far(lab: Stage) -> None:
    lab.press("n")
    write(lab, "shop_requests{")
    assert offered(lab) == ["env", "service"]
    typed(lab, "down")
    typed(lab, "enter")
    assert queries(lab).rows[0].text == 'shop_requests{service=""'
    editor = queries(lab).editor
    assert editor is not None
    assert editor.caret == len('shop_requests{service="')
    assert "orders-db" in offered(lab)
    write(lab, 'shop_requests{service="orders-"', 30)
    typed(lab, "tab")
    assert queries(lab).rows[0].text == 'shop_requests{service="orders-db"'
    write(lab, "sum by (s")
    assert "service" in offered(lab)


def test_functions_come_with_their_signature_and_a_sentence(lab: Stage) -> None:
    lab.press("n")
    write(lab, "histogram_qu")
    editor = queries(lab).editor
    assert editor is not None
    assert editor.completion is not None
    assert editor.completion.rows[0].detail == "histogram_quantile(q scalar, v instant-vector)"
    assert editor.completion.help
    typed(lab, "enter")
    editor = queries(lab).editor
    assert editor is not None
    assert (editor.text, editor.caret) == ("histogram_quantile()", len("histogram_quantile("))
    assert editor.signature is not None
    assert editor.signature.argument == "q scalar"
    write(lab, "histogram_quantile(0.9, )", len("histogram_quantile(0.9, "))
    editor = queries(lab).editor
    assert editor is not None
    assert editor.signature is not None
    assert editor.signature.argument == "v instant-vector"


def test_durations_and_keywords_are_offered_where_they_may_stand(lab: Stage) -> None:
    lab.press("n")
    write(lab, "rate(shop_requests[")
    assert "5m" in offered(lab)
    write(lab, "rate(shop_requests[7")
    assert offered(lab) == ["7s", "7m", "7h", "7d"]
    write(lab, "shop_requests off")
    assert offered(lab) == ["offset"]


def test_names_the_collector_alone_knows_are_offered_as_soon_as_it_has_said(lab: Stage) -> None:
    held: list[tuple[m.Request, object]] = []
    lab.press("n")
    lab.session.ctx.send = lambda request, callback: held.append((request, callback))
    for text in ("a", "an", "anc", "anci"):
        write(lab, text)
        lab.session.picture()
    finds = [(r, c) for r, c in held if isinstance(r, m.Find)]
    assert [r.text for r, _ in finds] == ["a"]
    finds[0][1](m.Reply(1, "", {"found": [], "more": True}))  # type: ignore[operator]
    finds = [(r, c) for r, c in held if isinstance(r, m.Find)]
    assert [r.text for r, _ in finds] == ["a", "anci"]
    finds[1][1](m.Reply(1, "", {"found": [{"name": "ancient_total", "detail": "counter"}], "more": False}))  # type: ignore[operator]
    assert offered(lab) == ["ancient_total"]
    write(lab, "ancie")
    assert offered(lab) == ["ancient_total"]
    assert len([r for r, _ in held if isinstance(r, m.Find)]) == 2  # the answer was whole: it serves a longer word too


def test_escape_sends_the_offers_away_and_then_leaves_the_editor(lab: Stage) -> None:
    lab.press("n")
    write(lab, "shop_")
    assert offered(lab)
    typed(lab, "escape")
    assert offered(lab) == []
    assert lab.session.picture().frame.focus == "query"
    typed(lab, "escape")
    assert lab.session.picture().frame.focus == ""
    lab.press("e")
    write(lab, "shop_r")
    assert offered(lab)


# ---------------------------------------------------------------- errors


def test_a_mistake_is_marked_in_its_place_explained_and_mended(lab: Stage) -> None:
    lab.press("n")
    write(lab, "sum(rate(shop_requests))")
    row = queries(lab).rows[0]
    assert row.problem is not None
    assert (row.problem.line, row.problem.column, row.problem.length) == (0, 9, 13)
    assert row.problem.text == "Line 1, column 10: `rate` needs a range. Write shop_requests[1m]."
    assert row.problem.fix == "Write sum(rate(shop_requests[1m]))"
    typed(lab, "alt+enter")
    assert queries(lab).rows[0].text == "sum(rate(shop_requests[1m]))"
    assert queries(lab).rows[0].problem is None


def test_a_problem_on_a_later_line_is_marked_there(lab: Stage) -> None:
    lab.press("n")
    write(lab, "sum(\n  rate(shop_requests)\n)")
    problem = queries(lab).rows[0].problem
    assert problem is not None
    assert (problem.line, problem.column) == (1, 7)


def test_what_the_collector_refuses_is_said_in_the_card_in_plain_words(lab: Stage) -> None:
    said = "This would read 84 M samples (limit 50 M). Shorten the range or raise the step to 1 min."
    lab.press("n")
    lab.session.ctx.send = lambda request, callback: callback(m.Reply(1, said, {"kind": "execution", "line": 0, "column": 0}))
    write(lab, "up")
    typed(lab, "enter")
    assert view(lab).chart.empty == said
    assert (queries(lab).rows[0].note, queries(lab).rows[0].wrong) == (said, True)


def test_nothing_found_says_which_metric_there_is_not_and_which_was_meant(lab: Stage) -> None:
    ask(lab, "sum(shop_requestz)")
    assert view(lab).chart.empty == "No series is called shop_requestz now. Did you mean shop_requests?"
    ask(lab, 'shop_requests{service="nobody"}')
    lab.session.point("queries", 0)
    lab.press("h")
    lab.tick(2)
    assert view(lab).chart.empty.startswith("No series answer to this between ")


def test_an_empty_query_says_how_to_begin(lab: Stage) -> None:
    lab.press("n")
    assert view(lab).chart.empty == "Write a query: E, then a metric's name. Names are offered as you type."


def test_an_answer_that_is_a_text_is_shown_as_it_is_and_a_number_is_a_line(lab: Stage) -> None:
    ask(lab, '"hello"')
    assert queries(lab).rows[0].note.startswith("text")
    assert view(lab).chart.empty == "hello"
    ask(lab, "42")
    lab.press("h")
    lab.session.point("queries", 0)
    lab.press("h")
    lab.session.point("queries", 1)
    lab.press("h")
    lab.tick(2)
    assert str(view(lab).chart.last) == "42"


def test_coarser_history_and_warnings_are_named(lab: Stage) -> None:
    lab.press("n")
    write(lab, "up")

    def send(request: m.Request, callback: object) -> None:
        if isinstance(request, m.GetExemplars):
            return  # asked by itself; no answer is what an older collector gives
        assert isinstance(request, m.Query | m.Find)
        labels, times = ((("__name__", "up"),),), np.array([request.end if isinstance(request, m.Query) else 0.0]).view(m.F64)
        answer = m.QueryResult(
            1, "matrix", labels, times, np.ones(1).view(m.F64), 5.0, 60.0, 812, warnings=("PromQL warning: odd",)
        )
        callback(answer if isinstance(request, m.Query) else m.Reply(1, "", {}))  # type: ignore[operator]

    lab.session.ctx.send = send
    typed(lab, "enter")
    assert view(lab).chart.note == "Odd. 1 min resolution: nothing finer is kept of this time. The first 1 of 812 series."
    assert queries(lab).rows[0].note == "812 series"


def test_a_collector_without_series_can_be_asked_all_the_same(empty: Stage) -> None:
    empty.press("2")
    assert view(empty).empty is not None
    ask(empty, "vector(7)")
    assert view(empty).empty is None
    assert str(view(empty).chart.last) == "7"


def test_a_lost_link_keeps_the_last_answer_in_sight(lab: Stage) -> None:
    ask(lab, "host_cpu_busy")
    before = [line.values for line in view(lab).chart.lines]
    lab.fake.disconnect()
    lab.tick(8)
    assert [len(line.values) for line in view(lab).chart.lines] == pytest.approx([len(v) for v in before], abs=3)
    assert not queries(lab).rows[0].wrong
    lab.fake.reconnect()
    lab.tick(3)
    lab.tick(3)
    assert view(lab).chart.lines


# ---------------------------------------------------------------- history and names


def test_queries_outlive_a_restart_with_their_letters(lab: Stage) -> None:
    ask(lab, "host_cpu_busy", "vector(2)")
    lab.session.point("queries", 0)
    lab.press("delete")
    again = Stage(FakeCollector.demo(), drafts=lab.drafts).start()
    again.press("2")
    again.tick(3)
    assert [(row.letter, row.text) for row in queries(again).rows] == [("B", "vector(2)")]
    assert view(again).chart.lines


def test_up_and_down_walk_through_the_queries_run_before(lab: Stage) -> None:
    ask(lab, "vector(1)")
    lab.press("e")
    for text in ("vector(2)", "vector(3)"):
        write(lab, text)
        typed(lab, "enter")
    write(lab, "vector(4)")
    typed(lab, "up")
    assert queries(lab).rows[0].text == "vector(3)"
    typed(lab, "up")
    typed(lab, "up")
    assert queries(lab).rows[0].text == "vector(1)"
    typed(lab, "ctrl+down")
    assert queries(lab).rows[0].text == "vector(2)"
    typed(lab, "down")
    typed(lab, "down")
    assert queries(lab).rows[0].text == "vector(4)"


def test_a_hundred_queries_are_remembered_each_once(lab: Stage) -> None:
    lab.press("n")
    for i in (*range(110), 50):
        write(lab, f"vector({i})")
        typed(lab, "enter")
    history = lab.session.ctx.desk.queries.history
    assert len(history) == MAX_HISTORY
    assert history[-1] == "vector(50)"
    assert history.count("vector(50)") == 1


def test_a_query_is_kept_under_a_name_found_by_it_and_forgotten(lab: Stage) -> None:
    ask(lab, "sum(rate(shop_requests[1m]))")
    lab.press("ctrl+s")
    assert lab.session.picture().frame.focus == "query.name"
    assert queries(lab).naming == ""
    lab.session.set_text("query.name", "Requests of the shop")
    lab.session.submit("query.name")
    assert lab.toast == "Kept as Requests of the shop. The palette finds it by its name."
    lab.press("c")
    assert view(lab).queries is None
    lab.press("ctrl+k")
    lab.session.set_text("palette", "requests shop")
    palette = lab.session.picture().palette
    assert palette is not None
    at = next(i for i, row in enumerate(palette.rows) if row.title == "Requests of the shop")
    assert palette.rows[at].detail == "query, sum(rate(shop_requests[1m]))"
    lab.session.open("palette", at)
    lab.tick(2)
    assert [row.text for row in queries(lab).rows] == ["sum(rate(shop_requests[1m]))"]
    lab.press("ctrl+k")
    lab.session.set_text("palette", "forget requests")
    palette = lab.session.picture().palette
    assert palette is not None
    at = next(i for i, row in enumerate(palette.rows) if row.title.startswith("Forget"))
    lab.session.open("palette", at)
    assert not lab.session.explore.deck.queries.saved
    lab.press("ctrl+z")
    assert [kept.name for kept in lab.session.ctx.desk.queries.saved] == ["Requests of the shop"]


def test_drafts_without_queries_can_still_be_read() -> None:
    store = MemoryDrafts()
    store.content = b'{"silence": null, "rules": {}}'
    assert store.load().queries.queries == ()


# ---------------------------------------------------------------- files


def test_csv_has_iso_times_a_column_a_series_and_no_formulas(lab: Stage) -> None:
    saved: list[tuple[str, bytes]] = []

    def save(name: str, content: bytes) -> str:
        saved.append((name, content))
        return f"~/Downloads/{name}"

    lab.session.explore.exports.save_file = save
    ask(lab, 'label_replace(host_cpu_busy, "note", "=HYPERLINK(1)", "host", ".*")')
    lab.press("s")
    name, content = saved[0]
    assert name.startswith("lightship-label-replace-host-cpu-busy")
    assert name.endswith(".csv")
    lines = content.decode().split("\r\n")
    assert lines[0].startswith('time,"host.cpu.busy{')
    assert lines[1][10] == "T"
    assert lines[1].split(",")[0].endswith("Z")
    assert lab.toast.startswith("Saved 36")
    lab.press("v", "v")
    lab.tick(2)
    lab.press("s")
    moment = saved[1][1].decode().split("\r\n")
    assert moment[0] == "query,time,__name__,host,note,value"
    assert ",'=HYPERLINK(1)," in moment[1]


def test_the_csv_of_histograms_has_a_row_a_bucket(lab: Stage) -> None:
    copied: list[str] = []
    lab.session.on_copy = copied.append
    ask(lab, 'rate(shop_latency{service="cart"}[1m])')
    lab.tick(2)
    lab.press("s")
    rows = copied[0].strip().split("\r\n")
    assert rows[0] == "query,time,env,service,above,up to,count"
    assert len(rows) > 20
    assert sum(float(row.rpartition(",")[2]) for row in rows[1:]) == pytest.approx(202, abs=5)


def test_csv_is_copied_where_no_file_can_be_written_and_a_picture_needs_a_desktop(lab: Stage) -> None:
    copied: list[str] = []
    lab.session.on_copy = copied.append
    ask(lab, "host_cpu_busy")
    lab.press("s")
    assert copied[0].startswith("time,")
    lab.press("p")
    assert lab.toast == "A terminal has no picture to save. S saves the figures."


def test_the_series_picked_can_be_saved_too(lab: Stage) -> None:
    copied: list[str] = []
    lab.session.on_copy = copied.append
    lab.session.set_text("search", "host.cpu.busy -pick")
    lab.session.submit("search")
    lab.tick()
    lab.tick(2)
    lab.press("s")
    assert copied[0].startswith("time,host.cpu.busy\r\n")
    assert copied[0].count("\r\n") > 100


def test_a_disk_that_refuses_is_said(lab: Stage) -> None:
    def save(name: str, content: bytes) -> str:
        raise OSError(28, "No space left on device")

    lab.session.explore.exports.save_file = save
    ask(lab, "host_cpu_busy")
    lab.press("s")
    assert lab.toast == "Not saved: No space left on device."
