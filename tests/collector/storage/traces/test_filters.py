"""Filters of texts, the longest traces and the form of small blocks, each against a slow look at everything."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.storage.traces import block_table, blocks, longest, reading, summary, text_filter, writing
from collector.storage.traces.codec import DamagedChunkError, zipped
from collector.storage.traces.database import DATABASE, SCHEMA_VERSION
from collector.storage.traces.details import RowTest
from collector.storage.traces.questions import TraceSearch
from collector.storage.traces.settings import TraceSettings
from collector.storage.traces.store import TraceStore
from collector.storage.traces.summary import Summary, of_spans
from monitor.model.matchers import Matcher
from tests.collector.storage.traces.samples import NOW, Row, naive_search, spans_of
from tests.collector.storage.traces.test_store import forms
from tests.collector.storage.traces.test_store import rows as any_row

FULL = TraceSettings(merge=3, block_rows=12)
letters = st.text("abKz 0é\u212a", max_size=9)


@given(st.lists(letters, max_size=8), letters)
def test_a_filter_never_denies_a_text_that_is_there(written: list[str], wanted: str) -> None:
    data = [text.encode() for text in written]
    bits = text_filter.bits_of(data)
    if any(wanted.encode().lower() in text.lower() for text in data):
        assert text_filter.may_hold(bits, wanted.encode())
        assert text_filter.may_hold(text_filter.unpack(text_filter.pack(bits)), wanted.encode())


@given(st.lists(letters, max_size=6), st.lists(letters, max_size=6))
def test_joined_filters_are_the_filter_of_both(one: list[str], other: list[str]) -> None:
    first, second = ([text.encode() for text in texts] for texts in (one, other))
    assert (text_filter.bits_of(first) | text_filter.bits_of(second) == text_filter.bits_of([*first, *second])).all()


def test_a_filter_denies_nearly_all_texts_that_are_not_there() -> None:
    bits = text_filter.bits_of([f"order {number} paid by card".encode() for number in range(20_000)])
    absent = [f"refund {number} failed".encode() for number in range(500)]
    assert sum(text_filter.may_hold(bits, text) for text in absent) == 0
    assert text_filter.may_hold(bits, b"xyz"), "three bytes are fewer than it knows"


def test_a_filter_of_random_texts_tells_too_little_and_is_not_kept() -> None:
    assert text_filter.pack(text_filter.bits_of([np.random.default_rng(1).bytes(1 << 22)])) == b""
    with pytest.raises(DamagedChunkError):
        text_filter.unpack(zipped(b"short"))


@pytest.mark.parametrize("op", ["=", "=~"])
def test_a_tag_that_an_absent_attribute_would_meet_is_denied_by_no_filter(op: str) -> None:
    nothing = text_filter.bits_of([])
    assert RowTest("", (Matcher("user", op, ""),)).may_be_in(nothing)  # type: ignore[arg-type]
    assert not RowTest("", (Matcher("user", op, "anna"),)).may_be_in(nothing)  # type: ignore[arg-type]


def filled(folder: Path, texts: list[str]) -> TraceStore:
    """A block of twelve spans of each text, one a second."""
    store = TraceStore(folder, FULL, clock=lambda: NOW)
    for number, text in enumerate(texts):
        rows = [
            Row((number, each + 1), 1, start=number * 1000 + each, detail={"attributes": {"note": text}}) for each in range(12)
        ]
        assert store.append_spans(spans_of(rows))
        assert store.commit()
    return store


def test_blocks_without_a_text_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(*asked: object) -> bytes:
        read.append(1)
        return real(*asked)  # type: ignore[arg-type]

    with forms(large=True):
        store = filled(tmp_path, ["the first parcel", "the second parcel", "the third parcel"])
        real = block_table.read_columns
        monkeypatch.setattr(reading, "read_columns", counted)
        assert store.search(TraceSearch(text="nowhere")) == []
        assert store.search(TraceSearch(tags=(Matcher("user", "=~", "a.*"),))) == []
        assert not read
        assert len(store.search(TraceSearch(text="SECOND parcel"))) == 12
        assert len(read) == 1
        store.close()


def test_a_store_of_the_version_before_opens_and_is_searched_and_merged(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:  # as version 1 wrote: sorted, no filter
        patch.setattr(blocks, "QUICK_BELOW", 0)
        patch.setattr(writing, "_FILTERED", 1 << 40)
        filled(tmp_path, ["the first parcel", "the second parcel"]).close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("PRAGMA user_version=1")
    connection.close()
    with forms(large=True):
        store = TraceStore(tmp_path, TraceSettings(merge=2, block_rows=100), clock=lambda: NOW)
        assert not store.problems
        for _ in range(2):
            assert len(store.search(TraceSearch(text="second parcel"))) == 12
            assert store.search(TraceSearch(text="nowhere")) == []
            store.step()
        assert store.figures()["traces_blocks"] == 1
        store.close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    connection.close()


@settings(deadline=None)
@given(st.lists(any_row, min_size=1, max_size=40))
def test_a_summary_of_few_spans_says_what_one_of_many_does(rows: list[Row]) -> None:
    spans = spans_of(rows)
    few = of_spans(spans)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "_FEW", 0)
        assert _plain(of_spans(spans)) == _plain(few)


def _plain(told: Summary) -> tuple[object, ...]:
    return dict(sorted(told.services.items())), told.open, told.filter


# ---------------------------------------------------------------- the longest


def slow(count: int) -> list[Row]:
    """Traces of three spans, the oldest the longest; parts of each come in other commits."""
    return [
        Row((1, trace + 1), span + 1, parent=span, start=trace * 100 + span, duration=(count - trace) * 10)
        for span in range(3)
        for trace in range(count)
    ]


def test_the_longest_are_found_however_many_newer_ones_there_are(tmp_path: Path) -> None:
    store, rows = TraceStore(tmp_path, FULL, clock=lambda: NOW), slow(60)
    for at in range(0, len(rows), 7):
        assert store.append_spans(spans_of(rows[at : at + 7]))
        assert store.commit()
    for _ in range(2):
        search = TraceSearch(order="longest", limit=5)
        found = store.search(search)
        assert found == naive_search(rows, search)
        assert [one.trace for one in found] == [f"{1:016x}{number:016x}" for number in range(1, 6)]
        store.step()
    store.close()


def test_a_search_for_the_longest_stops_at_its_bound_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, rows = TraceStore(tmp_path, FULL, clock=lambda: NOW), slow(40)
    rows.sort(key=lambda row: row.start)
    for at in range(0, len(rows), 12):
        assert store.append_spans(spans_of(rows[at : at + 12]))
        assert store.commit()
    monkeypatch.setattr(longest, "MOST_SPANS", 24)
    found, warnings = store.search_traces(TraceSearch(order="longest", limit=5))
    assert len(found) == 5
    assert warnings[0].startswith("The longest of the newest 24 spans, back to 20")
    assert warnings[0].endswith("a shorter time or a narrower search looks at all.")
    monkeypatch.setattr(longest, "MARGIN", 0)
    assert store.search_traces(TraceSearch(order="longest", start=NOW + 3.5))[1] == ()
    store.close()
