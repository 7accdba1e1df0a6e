"""Traces & logs on the demonstration's shop: searched, opened, walked, followed, and led to from elsewhere."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
import pytest

from monitor.wire import messages as m
from tests.ui.views.conftest import Stage, words
from ui.client.fake import FakeCollector
from ui.client.fake_traces_shop import made, number_of, trace_of
from ui.views.logs import MOST
from ui.views.navigation import Navigation
from ui.views.traceslanes import lanes_of
from ui.views.traceslay import laid_out
from ui.views.tracesview import TracesView, TraceView


def view(stage: Stage) -> TracesView:
    found = stage.settle().traces
    assert found is not None
    return found


def opened(stage: Stage) -> TraceView:
    found = view(stage).opened
    assert found is not None
    return found


def asked(stage: Stage, kind: type[m.Request]) -> list[m.Request]:
    return [request for request in stage.sent if isinstance(request, kind)]


@pytest.fixture
def page(demo: Stage) -> Stage:
    """The shop's traces, listed."""
    demo.press("6")
    demo.settle()
    return demo


@pytest.fixture
def failed(page: Stage) -> Stage:
    """A checkout that failed, opened."""
    page.session.traces.show_traces("edge", "POST /checkout", True)
    page.tick()
    page.settle()
    page.press("enter")
    return page


# ------------------------------------------------------------ the list


def test_the_newest_traces_are_listed_with_their_root_and_who_took_part(page: Stage) -> None:
    rows = view(page).traces
    assert len(rows) == 200
    assert {row.service for row in rows} == {"edge"}
    checkout = next(row for row in rows if row.operation == "POST /checkout" and row.shape is None)
    assert "orders" in checkout.services
    assert checkout.spans == "14 spans"
    assert 0.0 < checkout.share <= 1.0
    assert max(row.share for row in rows) == 1.0


def test_a_trace_with_errors_says_how_many_and_has_a_shape(page: Stage) -> None:
    page.press("f")
    page.tick()
    rows = view(page).traces
    assert rows
    assert all(row.shape == "critical" and "error" in row.errors for row in rows)


def test_the_longest_of_all_are_asked_of_the_collector(page: Stage) -> None:
    page.press("o")
    page.tick()
    shown = view(page)
    assert shown.order == "Longest"
    assert shown.found == "longest 200 traces"
    last = asked(page, m.FindTraces)[-1]
    assert isinstance(last, m.FindTraces)
    assert (last.order, last.limit) == ("longest", 200)
    shares = [row.share for row in shown.traces]
    assert shares == sorted(shares, reverse=True)


def test_a_search_is_asked_with_the_range_of_the_time_control(page: Stage) -> None:
    page.session.set_text("find", 'service:orders op:"POST /orders" >1s error db.system=postgresql lock', 0)
    page.session.submit("find")
    page.tick()
    request = asked(page, m.FindTraces)[-1]
    assert isinstance(request, m.FindTraces)
    assert (request.service, request.operation, request.shortest, request.error) == ("orders", "POST /orders", 1.0, True)
    assert request.text == "lock"
    assert page.fake.now - request.start == pytest.approx(1800, abs=3)
    assert request.end == 0.0


def test_what_is_typed_is_not_asked_key_by_key(page: Stage) -> None:
    before = len(asked(page, m.FindTraces))
    for end in range(1, 13):
        page.session.set_text("find", "service:cart"[:end], end)
        page.settle()
    assert len(asked(page, m.FindTraces)) == before
    page.tick()
    assert len(asked(page, m.FindTraces)) == before + 1


def test_a_search_that_cannot_be_read_says_so_and_keeps_the_list(page: Stage) -> None:
    page.session.set_text("find", ">fast", 5)
    shown = view(page)
    assert "500ms" in shown.search_error
    assert shown.traces


def test_a_list_that_is_read_keeps_its_rows_and_its_cursor(page: Stage) -> None:
    page.press("j", "j", "j")
    before = view(page)
    page.tick(8)
    after = view(page)
    assert after.traces is before.traces
    assert after.cursor == 3
    page.tick(12)  # nobody reads any more
    later = view(page)
    assert later.traces is not before.traces
    assert later.traces[later.cursor].trace == before.traces[3].trace


def test_no_question_is_asked_while_another_page_is_shown(page: Stage) -> None:
    page.press("1")
    before = len(page.sent)
    page.tick(12)
    assert not [request for request in page.sent[before:] if isinstance(request, m.FindTraces | m.FindLogs | m.GetServices)]


def test_a_collector_without_traces_says_how_to_send_the_first(empty: Stage) -> None:
    empty.press("6")
    state = view(empty).empty
    assert state is not None
    text = f"{state.title} {state.detail}"
    assert all(port in text for port in ("4317", "4318", "8126"))
    empty.press("t")
    logs = view(empty).empty
    assert logs is not None
    assert "4318" in logs.detail
    assert any("curl" in command for _, command in logs.commands)


def test_a_search_without_a_find_says_so(page: Stage) -> None:
    page.session.set_text("find", "service:nobody", 14)
    page.session.submit("find")
    page.tick()
    state = view(page).empty
    assert state is not None
    assert state.title == "No traces match this search."


def test_a_collector_that_cannot_answer_is_quoted(page: Stage) -> None:
    page.fake.disconnect()
    page.tick(6)
    assert "no connection" in view(page).problem


# ------------------------------------------------------------ completion


def test_services_and_operations_are_offered_and_taken_with_tab(page: Stage) -> None:
    page.press("/")
    assert page.session.ctx.focus == "find"
    page.session.set_text("find", "service:chec", 12)
    offers = view(page).completion
    assert offers is not None
    assert [row.text for row in offers.rows] == ["checkout"]
    page.session.key("tab", True)
    assert view(page).search == "service:checkout "
    page.session.set_text("find", "service:checkout op:POST", 24)
    offers = view(page).completion
    assert offers is not None
    assert {row.detail for row in offers.rows} == {"checkout"}
    page.session.key("down", True)
    page.session.submit("find")
    assert view(page).search.startswith('service:checkout op:"POST ')


def test_escape_closes_the_offers_before_it_leaves_the_field(page: Stage) -> None:
    page.press("/")
    page.session.set_text("find", "serv", 4)
    assert view(page).completion is not None
    page.session.key("escape", True)
    assert view(page).completion is None
    assert page.session.ctx.focus == "find"
    page.session.key("escape", True)
    assert page.session.ctx.focus == ""


def test_an_id_that_is_written_is_opened(page: Stage) -> None:
    trace = view(page).traces[5].trace
    page.session.set_text("find", trace, len(trace))
    page.session.submit("find")
    assert opened(page).trace == trace


# ------------------------------------------------------------ a trace


def test_an_opened_trace_says_where_its_time_went_and_what_failed(failed: Stage) -> None:
    trace = opened(failed)
    said = words(trace.sentence)
    assert "of the time is spent in orders, UPDATE order_lines" in said
    assert "orders failed in UPDATE order_lines: canceling statement due to lock timeout" in said
    assert trace.shape == "critical"
    assert trace.services[0][0] == "orders"
    assert trace.ticks[0].label == "0 s"


def test_the_own_stretches_of_the_critical_path_fill_the_root(failed: Stage) -> None:
    trace = opened(failed)
    parts = sorted(part for span in trace.spans for part in span.own)
    assert sum(end - start for start, end in parts) == pytest.approx(1.0, abs=0.01)
    assert all(a[1] <= b[0] + 1e-6 for a, b in itertools.pairwise(parts))


def test_the_tree_is_walked_folded_and_unfolded_by_keys(failed: Stage) -> None:
    whole = len(opened(failed).rows)
    failed.press("j", "left")
    folded = opened(failed)
    assert len(folded.rows) == whole - folded.spans[1].below
    failed.press("right")
    assert len(opened(failed).rows) == whole
    failed.press("right")
    assert opened(failed).place == 2
    failed.press("left", "left")
    assert opened(failed).place == 1 or 1 in opened(failed).folded
    failed.press("c")
    failed.press("c")
    assert opened(failed).rows


def test_slowest_and_failing_spans_are_a_key_away(failed: Stage) -> None:
    failed.press("p")
    trace = opened(failed)
    assert trace.spans[trace.place].operation == "UPDATE order_lines"
    failed.press("home", "n")
    trace = opened(failed)
    assert trace.spans[trace.place].failed


def test_a_span_tells_its_attributes_events_peer_and_logs(failed: Stage) -> None:
    failed.press("p")
    detail = opened(failed).detail
    assert detail is not None
    assert detail.message == "canceling statement due to lock timeout"
    assert dict(dict(detail.sections)["Attributes"])["db.statement"] == "UPDATE order_lines"
    assert any("database orders-db" in fact for fact in detail.facts)
    failed.press("left")
    above = opened(failed).detail
    assert above is not None
    assert [event.name for event in above.events] == ["exception"]
    assert above.logs_title == "Logs of this span"
    assert any("not stored" in log.body for log in above.logs)


def test_clocks_that_disagree_are_told(page: Stage) -> None:
    late = next(row.trace for row in view(page).traces if row.operation == "POST /checkout" and number_of(row.trace) % 3 == 0)
    Navigation(page.session).open_trace(late)
    trace = opened(page)
    assert any(note.startswith("Clocks disagree") and "payments" in note for note in trace.notes)
    assert any(span.moved for span in trace.spans)


def test_a_trace_nobody_knows_is_told_as_such(page: Stage) -> None:
    Navigation(page.session).open_trace("ab" * 16)
    assert "Nothing is known of trace abab" in view(page).opening
    page.press("escape")
    assert view(page).opening == ""


def test_a_trace_leads_to_its_logs_and_back(failed: Stage) -> None:
    trace = opened(failed).trace
    failed.press("g")
    failed.tick()
    shown = view(failed)
    assert shown.kind == "Logs"
    assert shown.search == f"trace:{trace}"
    assert {log.service for log in shown.logs} == {"edge", "checkout", "orders", "payments"}
    failed.press("escape")
    assert opened(failed).trace == trace


def test_links_from_elsewhere_open_traces_and_searches(demo: Stage) -> None:
    demo.session.navigation.open_traces("checkout", "POST /checkout", True)
    demo.tick()
    shown = view(demo)
    assert demo.session.page == "traces"
    assert shown.search == 'service:checkout op:"POST /checkout" error'
    assert shown.traces
    demo.session.navigation.open_trace(shown.traces[0].trace)
    assert opened(demo).trace == shown.traces[0].trace
    demo.session.navigation.open_logs("orders-db")
    demo.tick()
    assert {log.service for log in view(demo).logs} == {"orders-db"}


def test_the_palette_opens_a_trace_by_its_id(page: Stage) -> None:
    trace = view(page).traces[7].trace
    page.press("1", "ctrl+k")
    page.session.set_text("palette", trace, len(trace))
    page.press("enter")
    assert page.session.page == "traces"
    assert opened(page).trace == trace


# ------------------------------------------------------------ logs


@pytest.fixture
def logs(page: Stage) -> Stage:
    page.press("t")
    page.tick()
    return page


def test_logs_are_listed_newest_first_with_shapes(logs: Stage) -> None:
    rows = view(logs).logs
    assert [row.time for row in rows] == sorted((row.time for row in rows), reverse=True)
    shapes = {row.level: row.shape for row in rows}
    assert shapes["info"] == "info"
    assert shapes["warn"] == "warning"
    assert shapes["error"] == "critical"


def test_logs_are_followed_while_the_view_is_live(logs: Stage) -> None:
    before = view(logs).logs
    logs.tick(5)
    after = view(logs).logs
    assert len(after) > len(before)
    assert after[-1] is before[-1]
    assert len({(row.time, row.service, row.body) for row in after}) == len(after)
    tails = [r for r in asked(logs, m.FindLogs) if isinstance(r, m.FindLogs) and r.after]
    assert len(tails) <= 8


def test_pausing_holds_the_logs(logs: Stage) -> None:
    logs.press("space")
    before = view(logs).logs
    asked_before = len(asked(logs, m.FindLogs))
    logs.tick(5)
    assert view(logs).logs is before
    assert len(asked(logs, m.FindLogs)) == asked_before
    assert not view(logs).live
    logs.press("space")
    logs.tick(2)
    after = view(logs).logs
    assert len(after) > len(before)  # goes on where it was held
    assert after[-1] is before[-1]


def test_what_comes_while_somebody_reads_waits_above(logs: Stage) -> None:
    logs.press("j", "j")
    before = view(logs)
    logs.tick(5)
    after = view(logs)
    assert after.logs is before.logs
    assert "new above" in after.note
    logs.press("home")
    assert len(view(logs).logs) > len(before.logs)
    assert view(logs).note == ""


def test_every_record_is_listed_once_however_late_answers_come(logs: Stage) -> None:
    logs.press("j", "j")
    for _ in range(8):
        logs.tick()
        logs.fake.advance(1)  # an answer and the next second come between two looks
        view(logs)
    logs.press("home")
    rows = [(row.time, row.service, row.body) for row in view(logs).logs]
    assert not [row for row in rows if rows.count(row) > 1]


def test_records_that_come_too_fast_are_skipped_and_counted(logs: Stage) -> None:
    view(logs)
    listed = logs.session.traces.logs
    last = asked(logs, m.FindLogs)[-1]
    assert isinstance(last, m.FindLogs)
    assert last.skip
    listed.tail.answer = m.LogsFound(0, (m.LogInfo(logs.fake.now, 9, "INFO", "shop", "one of many"),), 1 << 60, skipped=1200)
    listed.tail.number += 1
    assert view(logs).note == "1,200 came faster than they are shown and were skipped: a narrower search shows all"
    assert view(logs).logs[0].body == "one of many"
    logs.press("j", "j")
    many = tuple(m.LogInfo(logs.fake.now, 9, "INFO", "shop", f"record {at}") for at in range(2100))
    listed.tail.answer = m.LogsFound(0, many, (1 << 60) + 1)
    listed.tail.number += 1
    assert view(logs).note == "2,000 new above, 1,300 skipped, press Home"


def test_the_first_record_of_all_is_seen_when_it_comes(logs: Stage) -> None:
    logs.fake.traced = False
    logs.press("r")
    logs.tick(3)
    assert view(logs).logs == ()
    logs.fake.traced = True
    logs.tick(3)
    count = len(view(logs).logs)
    assert count == 500
    logs.tick(4)
    assert len(view(logs).logs) > count


def test_another_start_of_the_collector_begins_anew(logs: Stage) -> None:
    logs.fake.restart()
    logs.tick(2)
    logs.fake.reconnect()
    logs.tick(3)
    before = view(logs)
    assert before.problem == ""
    logs.tick(4)
    assert len(view(logs).logs) > len(before.logs)


def test_logs_are_bounded_and_say_what_was_let_go(logs: Stage) -> None:
    held = logs.session.traces.logs
    log, row = held.held[0]
    held.held = [(log, row)] * MOST
    logs.tick(5)
    assert len(view(logs).logs) == MOST
    assert "older ones were let go" in view(logs).note


def test_an_opened_record_shows_all_and_leads_to_its_trace(logs: Stage) -> None:
    logs.session.set_text("find", "not stored", 10)
    logs.session.submit("find")
    logs.tick()
    logs.settle()
    logs.press("enter")
    detail = view(logs).log
    assert detail is not None
    assert "lock timeout" in detail.lines[0]
    assert "order.id" in dict(detail.sections[0][1])
    logs.press("g")
    trace = opened(logs)
    assert trace.trace == detail.trace
    assert trace.spans[trace.place].service == "orders"
    logs.press("escape")
    assert view(logs).log is not None


# ------------------------------------------------------------ hostile and large


def test_text_from_outside_cannot_harm() -> None:
    stage = Stage(FakeCollector.demo()).start()
    bad = "\x1b[31m\u202e<b>x</b>\n\0" + "y" * 5000
    span = made(100_001).spans[0]
    evil = msgspec.structs.replace(
        span, service=bad, operation=bad, span="zz", parent="zz", message=bad, attributes={bad: bad}, resource={bad: bad}
    )
    log = m.LogInfo(1e300, 99, bad, bad, bad, "zz", "zz", {bad: bad})

    def answer(request: m.Asked) -> m.Message:
        if isinstance(request, m.FindTraces):
            summary = m.TraceSummary("\x1b" * 40, bad, bad, 1e300, float("inf"), 10**12, 3, (bad,) * 50, True)
            return m.TracesFound(request.id, (summary,), (bad,))
        if isinstance(request, m.GetTrace):
            return m.TraceFound(request.id, bad[:32], (evil, evil), (log,), 10**9, (bad,))
        if isinstance(request, m.FindLogs):
            return m.LogsFound(request.id, (log,), 5)
        assert isinstance(request, m.GetServices)
        return m.ServicesFound(request.id, (m.ServiceOperations(bad, (bad,), 1, 1),))

    stage.fake.answer_to = answer  # type: ignore[method-assign]
    stage.press("6")
    for shown in (view(stage), (stage.press("enter"), view(stage))[1], (stage.press("escape", "t", "enter"), view(stage))[1]):
        text = repr(shown)
        assert "\\x1b" not in text
        assert "\\u202e" not in text


def wide(count: int) -> m.TraceFound:
    """A trace of so many spans, each calling one or two others."""
    begin = 1_791_986_000.0
    spans = [
        m.SpanInfo(
            f"{i + 1:016x}",
            f"{(i + 1) // 2:016x}" if i else "",
            f"svc-{i % 12}",
            f"op {i}",
            "server",
            "error" if i % 97 == 96 else "unset",
            begin + i * 1e-4,
            count * 2e-4 - i * 1.5e-4,
            int((begin + i * 1e-4) * 1e9),
        )
        for i in range(count)
    ]
    return m.TraceFound(0, "ab" * 16, tuple(spans), (), count)


def test_every_span_of_a_large_trace_has_its_row_once() -> None:
    laid = laid_out(wide(5000).spans)
    assert laid is not None
    assert len(laid) == 5000
    assert laid.below[0] == 4999
    assert all(laid.parents[place] < place for place in range(5000))
    assert laid.ends.max() <= 1.0 + 1e-9


def test_spans_of_a_flame_never_lie_on_each_other() -> None:
    chance = np.random.default_rng(5)
    starts = chance.random(300)
    ends = starts + chance.random(300) * 0.1
    parents = [-1, *(int(chance.integers(0, i)) for i in range(1, 300))]
    lanes = lanes_of(starts, ends, parents)
    for a in range(300):
        assert parents[a] < 0 or lanes[a] > lanes[parents[a]]
        same = [b for b in range(a) if lanes[b] == lanes[a]]
        assert all(ends[b] <= starts[a] or ends[a] <= starts[b] for b in same)


def test_a_shops_request_is_the_same_each_time() -> None:
    assert number_of(trace_of(12_345)) == 12_345
    assert number_of("not hex") == -1
    assert made(777).spans == made(777).spans
