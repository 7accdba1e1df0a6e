"""Blocks become few, what is old or too much goes first, and all of it while others search."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from collector.storage.traces.block_table import Block
from collector.storage.traces.plan import merge_due
from collector.storage.traces.questions import LogSearch, TraceSearch
from collector.storage.traces.settings import TraceSettings
from collector.storage.traces.store import TraceStore
from collector.storage.traces.summary import Summary
from tests.collector.storage.traces.samples import NOW, LogRow, Row, hex_of, logs_of, spans_of
from tests.running import until


def test_what_is_older_than_it_may_be_goes_and_is_counted(tmp_path: Path) -> None:
    now = [NOW]
    store = TraceStore(tmp_path, TraceSettings(keep=3600), clock=lambda: now[0])
    for hour in range(4):
        now[0] = NOW + hour * 1800
        store.append_spans(spans_of([Row((1, hour + 1), 1, start=hour * 1_800_000)]))
        store.append_logs(logs_of([LogRow(hour * 1_800_000)]))
        store.commit()
        store.step()
    assert [one.trace for one in store.search(TraceSearch())] == [hex_of((1, 4)), hex_of((1, 3)), hex_of((1, 2))]
    assert store.figures()["traces_expired_total"] == 2
    assert store.oldest() == NOW + 1800
    store.step(NOW + 1e6)
    assert store.search(TraceSearch()) == []
    assert store.logs(LogSearch()).logs == []
    store.close()


def test_a_span_of_the_far_future_does_not_stay_for_ever(tmp_path: Path) -> None:
    store = TraceStore(tmp_path, TraceSettings(keep=3600), clock=lambda: NOW)
    store.append_spans(spans_of([Row((1, 1), 1, start=10**12)]))
    store.step(NOW)
    assert store.figures()["traces_kept_spans"] == 1
    store.step(NOW + 3601)
    assert store.figures()["traces_kept_spans"] == 0
    store.close()


def test_a_store_that_is_too_large_gives_up_the_oldest_first(tmp_path: Path) -> None:
    store = TraceStore(tmp_path, TraceSettings(max_bytes=200_000, merge=4), clock=lambda: NOW)
    chance = random.Random(3)
    for at in range(300):
        rows = [Row((at + 1, 1), 1, start=at, detail={"attributes": {"x": chance.randbytes(900).hex()}})]
        store.append_spans(spans_of(rows * 3))
        store.commit()
        if at % 10 == 9:
            store.step()
    found = store.search(TraceSearch(limit=1000))
    figures = store.figures()
    assert figures["traces_crowded_out_total"] == 900 - figures["traces_kept_spans"] > 0
    assert [one.trace for one in found] == [hex_of((at, 1)) for at in range(300, 300 - len(found), -1)]
    assert (tmp_path / "traces.sqlite3").stat().st_size < 400_000
    store.close()


def test_small_blocks_become_few(tmp_path: Path) -> None:
    store = TraceStore(tmp_path, TraceSettings(merge=4, block_rows=64), clock=lambda: NOW)
    for at in range(100):
        store.append_spans(spans_of([Row((1, at + 1), 1, start=at)]))
        store.commit()
        store.step()
    assert store.figures()["traces_blocks"] < 10
    store.step(NOW + 86_400)
    assert store.figures()["traces_blocks"] <= 2
    assert len(store.search(TraceSearch(limit=200))) == 100
    store.close()


def test_merging_rewrites_a_row_a_few_times_and_never_full_blocks() -> None:
    settings = TraceSettings(merge=16, block_rows=65_536)
    blocks: dict[int, Block] = {}
    rewritten, next_id = 0, 1

    def add(rows: int, low: int) -> None:
        nonlocal next_id
        blocks[next_id] = Block(next_id, 0, 0, 0, 0, rows, rows * 40, rows * 300, low, low + rows - 1, Summary({}, False, b""))
        next_id += 1

    for at in range(20_000):
        add(70, at * 70)
        while due := merge_due(blocks.values(), 0, settings):
            assert all(block.rows < settings.block_rows for block in due)
            for block in due:
                del blocks[block.id]
            add(sum(block.rows for block in due), due[0].low)
            rewritten += sum(block.rows for block in due)
    assert len(blocks) < 100
    assert rewritten < 4 * 20_000 * 70


def test_searches_answer_whole_while_blocks_are_merged_beneath_them(tmp_path: Path) -> None:
    store = TraceStore(tmp_path, TraceSettings(merge=2, block_rows=200), clock=lambda: NOW)
    wrong: list[str] = []
    wrote, rounds = threading.Event(), [0]

    def search() -> None:
        known = 0
        while not wrote.is_set():
            spans = store.trace(hex_of((1, 1))).total
            logs = len(store.logs(LogSearch(limit=1000)).logs)
            if spans < known or logs < spans:
                wrong.append(f"{spans} spans and {logs} logs after {known}")
            known, rounds[0] = spans, rounds[0] + 1

    searchers = [threading.Thread(target=search) for _ in range(2)]
    for thread in searchers:
        thread.start()
    for at in range(80):
        store.append_logs(logs_of([LogRow(at)]))
        store.append_spans(spans_of([Row((1, 1), at + 1, start=at)]))
        store.commit()
        store.step()
    wrote.set()
    for thread in searchers:
        thread.join()
    assert not wrong
    assert rounds[0] > 5
    assert not store.problems
    store.close()


def test_the_background_thread_commits_by_itself(tmp_path: Path) -> None:
    store = TraceStore(tmp_path, clock=lambda: NOW)
    store.start()
    store.append_spans(spans_of([Row((1, 1), 1)]))
    until(lambda: store.figures()["traces_kept_spans"] == 1, "the span is in a block")
    store.close()
