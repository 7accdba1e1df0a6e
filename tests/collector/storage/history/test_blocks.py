"""Series of nearly the same times come as one block, others apart; the background thread does its work alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from collector.storage.history.blocks import blocks_of
from collector.storage.history.histograms import HistogramPool
from collector.storage.history.pieces import Panel
from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.matchers import Matcher
from monitor.query.history import Hints
from tests.running import until

LABELS = [(("n", str(number)),) for number in range(10)]


def panel(rows: list[int], times: np.ndarray) -> Panel:
    return Panel(np.array(rows), times, np.arange(len(rows) * len(times), dtype=float).reshape(len(rows), -1))


def test_series_with_a_sample_missing_share_the_block_of_the_others() -> None:
    times = np.arange(100) * 15_000
    panels = [panel([0, 2], times), panel([1], np.delete(times, 40)), panel([3], times + 500), panel([4], times[:10])]
    blocks = blocks_of(panels, [], LABELS, HistogramPool(), 0, 1 << 50)
    found = {labels: (block, row) for block in blocks for row, labels in enumerate(block.labels)}
    assert len(found) == 5
    together, row = found[LABELS[1]]
    assert together is found[LABELS[0]][0] is found[LABELS[2]][0]
    assert together.present is not None
    assert np.flatnonzero(~together.present[row]).tolist() == [40]
    assert together.values[row][together.present[row]].tolist() == list(range(99))
    assert len({id(found[LABELS[number]][0]) for number in (0, 3, 4)}) == 3


def test_blocks_are_cut_to_the_span() -> None:
    (block,) = blocks_of([panel([0], np.arange(10) * 10)], [], LABELS, HistogramPool(), 20, 45)
    assert block.times.tolist() == [20, 30, 40]
    assert block.values.tolist() == [[2.0, 3.0, 4.0]]
    assert blocks_of([panel([0], np.arange(10) * 10)], [], LABELS, HistogramPool(), 200, 300) == []


def test_the_background_thread_folds_and_goes_on_after_an_error(tmp_path: Path) -> None:
    start = 1_764_000_000_000
    store = HistoryStore(tmp_path, HistorySettings(fold_age=0.0), clock=lambda: start / 1000)
    store.start()
    refs = store.intern([(("__name__", "m"),)], [0])
    connection = store._opened.connection
    connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0]}")
    store.append(np.repeat(refs, 9000), start + np.arange(9000), np.random.default_rng(1).random(9000))
    until(lambda: store.failing, "the full disk to be told")
    connection.execute("PRAGMA max_page_count=100000")
    until(lambda: store.stats()["folds"], "samples to be folded")
    until(lambda: not store.failing, "all to be well again")
    (block,) = store.select([Matcher("__name__", "=", "m")], 0, 1 << 50, Hints()).blocks
    assert len(block.times) == 9000
    store.close()
