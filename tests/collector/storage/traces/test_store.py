"""The store answers as a look at every row would, whatever was committed, merged and opened anew in between."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.storage.traces import blocks, summary, writing
from collector.storage.traces.questions import LogSearch, TraceSearch
from collector.storage.traces.settings import TraceSettings
from collector.storage.traces.store import TraceStore
from monitor.model.matchers import Matcher, Operator
from monitor.wire.tracing import LogInfo
from tests.collector.storage.traces.samples import (
    BASE,
    NOW,
    LogRow,
    Row,
    hex_of,
    logs_of,
    naive_logs,
    naive_search,
    of_trace,
    spans_of,
)

SMALL = TraceSettings(merge=3, block_rows=12)
WORDS = ("pay", "PAY now", "Käse", "10", "true", "404", "-1", "[1]", "a\x00b", "İstanbul", "Kelvin \u212a")
NAMES = ("GET /", "pay", "Ütf", "10")

values = st.one_of(
    st.sampled_from(WORDS),
    st.integers(-(2**40), 2**40),
    st.sampled_from([10, 404, -1, 2**63, True, False, 0.5, -0.0, 404.0, None]),
    st.lists(st.sampled_from(WORDS) | st.integers(0, 20), max_size=2),
)
maps = st.dictionaries(st.sampled_from(["user", "code", "käse"]), values, max_size=3)
details = st.fixed_dictionaries(
    {},
    optional={
        "attributes": maps,
        "resource": maps,
        "message": st.sampled_from(WORDS),
        "events": st.lists(st.fixed_dictionaries({"name": st.sampled_from(WORDS), "attributes": maps}), max_size=2),
    },
)
traces = st.sampled_from([(0, 1), (0, 2), (7, 1), (2**64 - 1, 2**64 - 1), (5, 5)])
rows = st.builds(
    Row,
    trace=traces,
    id=st.integers(1, 6) | st.just(2**64 - 1),
    parent=st.integers(0, 6),
    start=st.integers(0, 40),
    duration=st.sampled_from([0, 1, 5, 2000]),
    service=st.sampled_from(["web", "cart", "käse", ""]),
    name=st.sampled_from(NAMES),
    kind=st.sampled_from([1, 2, 3]),
    status=st.sampled_from([0, 1, 2]),
    detail=details,
)
log_rows = st.builds(
    LogRow,
    time=st.integers(0, 40),
    body=st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    severity=st.integers(0, 24),
    service=st.sampled_from(["web", "cart"]),
    trace=traces | st.just((0, 0)),
    detail=st.fixed_dictionaries({}, optional={"attributes": maps, "resource": maps}),
)
operators: st.SearchStrategy[Operator] = st.sampled_from(["=", "!=", "=~", "!~"])
matchers = st.builds(
    Matcher, st.sampled_from(["user", "code", "none"]), operators, st.sampled_from(["", "pay", "10", "true", "404", "0.5"])
)
lists = st.sampled_from(["[1]", '["pay"]', "0", "404", str(2**63)]).map(lambda value: Matcher("user", "=", value))
tags = st.lists(matchers | lists, max_size=2).map(tuple)
texts = st.sampled_from(
    ["", "", "pay", "PAY", "pay now", "PAY NO", "käse", "Kelvin", "never there", "10", "404", "\u212a", "k", "x y"]
)
searches = st.builds(
    TraceSearch,
    service=st.sampled_from(["", "", "web", "käse"]),
    operation=st.sampled_from(["", "", *NAMES]),
    shortest=st.sampled_from([0.0, 0.001, 1.0]),
    longest=st.sampled_from([float("inf"), 0.004]),
    error=st.booleans(),
    text=texts,
    tags=tags,
    start=st.sampled_from([-float("inf"), NOW + 0.01]),
    end=st.sampled_from([float("inf"), NOW + 0.03]),
    limit=st.integers(1, 6),
    order=st.sampled_from(["newest", "longest"]),
)
log_searches = st.builds(
    LogSearch,
    service=st.sampled_from(["", "web"]),
    severity=st.sampled_from([0, 9, 17]),
    text=texts,
    tags=tags,
    trace=st.sampled_from(["", "", hex_of((7, 1))]),
    start=st.sampled_from([-float("inf"), NOW + 0.01]),
    end=st.sampled_from([float("inf"), NOW + 0.03]),
    limit=st.integers(1, 6),
)
steps = st.lists(
    st.lists(rows, max_size=8) | st.lists(log_rows, max_size=8) | st.sampled_from(["commit", "commit", "step", "reopen"]),
    max_size=16,
)


@contextmanager
def forms(large: bool) -> Iterator[None]:
    """Blocks are written as large ones are, sorted and with a filter of their texts, however few rows they have."""
    with pytest.MonkeyPatch.context() as patch:
        if large:
            patch.setattr(blocks, "QUICK_BELOW", 0)
            patch.setattr(summary, "_FEW", 0)
            patch.setattr(writing, "_FILTERED", 1)
        yield


@contextmanager
def opened(folder: Path | None = None, **changed: Any) -> Iterator[TraceStore]:
    with tempfile.TemporaryDirectory() as fresh:
        store = TraceStore(folder or Path(fresh), changed.pop("settings", SMALL), clock=lambda: NOW, **changed)
        yield store
        store.close()


def done(folder: Path, plan: list[Any]) -> tuple[TraceStore, list[Row], list[LogRow]]:
    """A store to which all of a plan was done, and the rows it took."""
    store, spans, logs = TraceStore(folder, SMALL, clock=lambda: NOW), list[Row](), list[LogRow]()
    for step in plan:
        if step == "commit":
            assert store.commit()
        elif step == "step":
            store.step()
        elif step == "reopen":
            store.close()
            store = TraceStore(folder, SMALL, clock=lambda: NOW)
        elif step and isinstance(step[0], Row):
            assert store.append_spans(spans_of(step))
            spans += step
        elif step:
            assert store.append_logs(logs_of(step))
            logs += step
    assert not store.problems
    return store, spans, logs


@settings(max_examples=50, deadline=None)
@given(steps, st.lists(searches, min_size=3, max_size=6), st.booleans())
def test_a_search_finds_what_a_look_at_every_span_would(plan: list[Any], asked: list[TraceSearch], large: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, forms(large):
        store, spans, _ = done(Path(folder), plan)
        for _ in range(2):
            for search in asked:
                assert store.search(search) == naive_search(spans, search)
            store.step()
        store.close()


@settings(max_examples=40, deadline=None)
@given(steps, st.lists(log_searches, min_size=3, max_size=6), st.booleans())
def test_a_search_of_logs_finds_what_a_look_at_every_record_would(plan: list[Any], asked: list[LogSearch], large: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, forms(large):
        store, _, logs = done(Path(folder), plan)
        for search in asked * 2:
            answer = store.logs(search)
            assert [_key(one) for one in answer.logs] == [_row_key(one) for one in naive_logs(logs, search)]
            assert answer.more == (len(naive_logs(logs, replace(search, limit=1000))) > search.limit)
            store.step()
        store.close()


@settings(max_examples=25, deadline=None)
@given(steps, traces)
def test_a_trace_has_all_its_spans_once_whatever_batches_they_came_in(plan: list[Any], trace: tuple[int, int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, spans, logs = done(Path(folder), plan)
        answer = store.trace(hex_of(trace))
        expected = {(row.id, row.start, row.kind): row for row in reversed(spans) if row.trace == trace}
        assert answer.total == len(answer.spans) == len(expected)
        told = sorted(
            (int(one.span, 16), int(one.parent or "0", 16), one.start_ns, one.service, one.operation) for one in answer.spans
        )
        assert told == sorted(
            (row.id, row.parent, BASE + row.start * 1_000_000, row.service, row.name) for row in expected.values()
        )
        assert sorted(one.body for one in answer.logs) == sorted(row.body for row in logs if of_trace(row, hex_of(trace)))
        store.close()


def _key(one: LogInfo) -> tuple[Any, ...]:
    return one.time, one.body, one.severity, one.service, one.trace


def _row_key(row: LogRow) -> tuple[Any, ...]:
    trace = hex_of(row.trace) if any(row.trace) else ""
    return (BASE + row.time * 1_000_000) / 1e9, row.body, row.severity, row.service, trace


VALUES: tuple[Any, ...] = (
    *WORDS,
    10,
    404,
    -1,
    0,
    2**63,
    2**40,
    True,
    False,
    0.5,
    -0.0,
    404.0,
    1e300,
    None,
    ["pay", 7],
    {"a": "PAY"},
    "0.5",
    "0",
)


def every_value() -> tuple[list[Row], list[LogRow]]:
    """A trace a value, as an attribute, as what its resource says, in an event and as an operation; and the same logs."""
    spans, logs = [], []
    for at, value in enumerate(VALUES):
        told: list[dict[str, Any]] = [
            {"attributes": {"user": value}},
            {"attributes": {"other": "x"}, "resource": {"user": value}},
            {"events": [{"time": 1, "name": "e", "attributes": {"user": value}}]},
            {},
        ]
        for place, detail in enumerate(told):
            number = at * 4 + place
            name = value if isinstance(value, str) and place == 3 else "op"
            spans.append(
                Row((3, (number * 37) % 997 + 1), 1, 0, number // 8, number % 5, f"s{number % 3}", name, 2, number % 3, detail)
            )
            logs.append(LogRow(number // 8, name, number % 24, detail={k: v for k, v in detail.items() if k != "events"}))
    return spans, logs


@pytest.mark.parametrize("merged", [False, True])
def test_every_kind_of_value_is_found_by_tag_and_by_text_in_blocks_as_in_memory(merged: bool) -> None:
    spans, logs = every_value()
    with opened(settings=TraceSettings(merge=4)) as store:
        for at in range(0, len(spans), 13):
            store.append_spans(spans_of(spans[at : at + 13]))
            store.append_logs(logs_of(logs[at : at + 13]))
            store.commit()
        if merged:
            store.step(NOW + 86_400)
            assert store.figures()["traces_blocks"] == 2
        texts = [*map(str, VALUES), *WORDS, "0", "7", "404", "PAY", "ist", "k", "absent"]
        for text in dict.fromkeys(texts):
            for tags, words in (((Matcher("user", "=", text),), ""), ((Matcher("user", "!=", text),), ""), ((), text)):
                search = TraceSearch(tags=tags, text=words, limit=500)
                assert store.search(search) == naive_search(spans, search), (tags, words)
                about = LogSearch(tags=tags, text=words, limit=500)
                assert [one.body for one in store.logs(about).logs] == [one.body for one in naive_logs(logs, about)]


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_bounds_that_just_hold_are_met_in_every_block(limit: int) -> None:
    spans, logs = every_value()
    with opened(settings=TraceSettings(merge=4)) as store:
        for at in range(0, len(spans), 3):
            store.append_spans(spans_of(spans[at : at + 3]))
            store.append_logs(logs_of(logs[at : at + 3]))
            store.commit()
        for number in range(0, len(spans), 7):
            row, log = spans[number], logs[number]
            for search in (
                TraceSearch(service=row.service, shortest=row.duration / 1000, limit=limit),
                TraceSearch(operation=row.name, longest=max(1, row.duration) / 1000, limit=limit),
                TraceSearch(service=row.service, error=True, start=NOW + row.start / 1000, limit=limit),
                TraceSearch(start=NOW + row.start / 1000, end=NOW + row.start / 1000, limit=limit),
            ):
                assert store.search(search) == naive_search(spans, search)
            for about in (
                LogSearch(severity=log.severity, end=NOW + log.time / 1000, limit=limit),
                LogSearch(service=log.service, severity=23, start=NOW + log.time / 1000, limit=limit),
            ):
                assert [_key(one) for one in store.logs(about).logs] == [_row_key(one) for one in naive_logs(logs, about)]


def test_a_tail_tells_every_record_once_in_order_of_arrival_over_commits_merges_and_restarts(tmp_path: Path) -> None:
    store, cursor, told = TraceStore(tmp_path, SMALL, clock=lambda: NOW), 0, list[str]()
    cursor = store.logs(LogSearch()).cursor
    for round_ in range(30):
        store.append_logs(logs_of([LogRow(100 - round_, f"{round_}.{at}") for at in range(round_ % 4)]))
        if round_ % 3:
            store.commit()
        if round_ % 7 == 6:
            store.step()
        if round_ % 11 == 10:
            store.close()
            store = TraceStore(tmp_path, SMALL, clock=lambda: NOW)
        if round_ % 5 == 4:
            while True:
                answer = store.logs(LogSearch(after=cursor, limit=2))
                told, cursor = told + [one.body for one in answer.logs], answer.cursor
                if not answer.more:
                    break
    assert told == [f"{round_}.{at}" for round_ in range(30) for at in range(round_ % 4)]
    assert store.logs(LogSearch(after=cursor)).logs == []
    store.close()


def test_a_tail_that_cannot_keep_up_is_told_the_newest_and_how_many_were_skipped(tmp_path: Path) -> None:
    store = TraceStore(tmp_path, SMALL, clock=lambda: NOW)
    cursor = store.logs(LogSearch(skip=True)).cursor
    seen = skipped = 0
    for round_ in range(6):
        for at in range(round_ * 4):
            store.append_logs(logs_of([LogRow(round_, f"{round_}.{at}", severity=9 + at % 2 * 4)]))
            if at % 3 == 2:
                store.commit()
        store.step()
        for severity, every in ((0, 1), (13, 2)):
            answer = store.logs(LogSearch(after=cursor, limit=5, skip=True, severity=severity))
            wanted = [f"{round_}.{at}" for at in range(every - 1, round_ * 4, every)]
            assert [one.body for one in answer.logs] == wanted[-5:]
            assert answer.skipped == max(0, len(wanted) - 5)
            assert not answer.more
        seen, skipped, cursor = seen + len(wanted), skipped + answer.skipped, answer.cursor
    assert seen > skipped > 0
    assert store.logs(LogSearch(after=cursor, skip=True)).skipped == 0
    store.close()


def test_services_and_operations_are_known_at_once_and_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append_spans(spans_of([Row((0, 1), 1), Row((0, 1), 2, service="cart", name="add"), Row((0, 1), 3, name="PUT /")]))
        store.append_logs(logs_of([LogRow(0, "hello", service="db")]))
        before = store.services()
    with opened(tmp_path) as store:
        assert store.services() == before
        assert [(one.service, one.operations, one.spans, one.logs) for one in before] == [
            ("cart", ("add",), 1, 0),
            ("db", (), 0, 1),
            ("web", ("GET /", "PUT /"), 2, 0),
        ]
        assert store.oldest() == NOW


@pytest.mark.parametrize("wrong", ["", "0", "xyz", "0" * 32, "1" * 33, "é", "-1", "1 OR 1"])
def test_what_is_no_trace_id_is_said_to_be_none(wrong: str) -> None:
    with opened() as store, pytest.raises(ValueError, match="trace id"):
        store.trace(wrong)


def test_an_unknown_trace_has_nothing() -> None:
    with opened() as store:
        store.append_spans(spans_of([Row((0, 1), 1)]))
        answer = store.trace("ff")
        assert (answer.spans, answer.logs, answer.total) == ([], [], 0)


def test_hostile_texts_and_details_are_kept_and_found_and_break_nothing(tmp_path: Path) -> None:
    odd = ["\ud800", "'; DROP TABLE blocks; --", "\x00", "x" * 100_000, "\u202e", "{", "?"]
    with opened(tmp_path) as store:
        for at, text in enumerate(odd):
            detail = {
                "attributes": {"k": text.replace("\ud800", "s")},
                "events": [1, "x", None],
                "links": [[]],
                "scope": [text[:1] or 1],
            }
            detail["scope"] = ["s"]
            store.append_spans(spans_of([Row((9, at + 1), 1, service=text, name=text, detail=detail)]))
            store.append_logs(logs_of([LogRow(at, text, service=text)]))
        broken = spans_of([Row((9, 99), 1)])
        store.append_spans(replace(broken, details=[b"\xff\xc1 not msgpack \x80"]))
        store.append_spans(replace(broken, details=[b"\x81\xaaattributes" + b"\x91" * 100_000]))
        before = [store.search(TraceSearch(service=text.replace("\ud800", "?"))) for text in odd]
        store.commit()
        assert [store.search(TraceSearch(service=text.replace("\ud800", "?"))) for text in odd] == before
        assert all(before)
        assert len(store.logs(LogSearch()).logs) == len(odd)
        assert len(store.search(TraceSearch(text="x" * 50))) == 1
        (span,) = store.trace(hex_of((9, 4))).spans
        assert len(span.operation) == 256
        assert len(span.attributes["k"]) == 4096
        store.step()
        assert not store.problems


def test_many_operations_in_one_block_are_all_found() -> None:
    many = [Row((1, at + 1), 1, at % 40, service=f"s{at % 300}", name=f"op {at}") for at in range(3000)]
    with opened(settings=TraceSettings()) as store:
        store.append_spans(spans_of(many))
        store.commit()
        for row in many[::371]:
            found = store.search(TraceSearch(service=row.service, operation=row.name))
            assert [one.trace for one in found] == [hex_of(row.trace)]
