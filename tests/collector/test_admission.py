"""Success is told when it is on the disk, many share one commit, and who cannot be taken is told to come again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from collector.admission import Admission, GroupCommit
from collector.receivers.accept import NotAcceptedError
from collector.storage.memory_sink import MemorySink
from collector.storage.recorder import Recorder
from monitor.engine import Engine
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.matchers import Matcher
from monitor.model.series import KeySpace, Kind, series_key
from monitor.query.evaluator import Evaluator
from monitor.query.history import Hints
from monitor.windows.bins import bins_of

NOW = 1_700_000_000


class Disk:
    """A commit that can be held up, and refused."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.reached = threading.Event()
        self.begun = 0
        self.good = True

    def commit(self) -> bool:
        self.begun += 1
        self.reached.set()
        self.free.wait(20)
        return self.good


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


class House:
    def __init__(self, pool: ThreadPoolExecutor, full: bool = False) -> None:
        self.disk, self.sink, self.engine = Disk(), MemorySink(), Engine()
        self.windows: list[Batch] = []
        self.full = full
        self.commit = GroupCommit(self.disk.commit, lambda: "the disk is full", pool)
        self.accept = Admission(Recorder(self.engine, self.sink), self._offer, self.commit, None, lambda events: None)

    def _offer(self, batches: Sequence[Batch]) -> bool:
        if not self.full:
            self.windows += batches
        return not self.full

    def samples(self, name: str) -> list[tuple[int, float]]:
        found = self.sink.history.select([Matcher("__name__", "=", name)], 0, 2 * NOW * 1000, Hints(0))
        return [
            (int(at) // 1000 - NOW, float(value))
            for block in found.blocks
            for at, value in zip(block.times, block.values[0], strict=True)
        ]

    def asked(self, query: str, at: int) -> float:
        answer = Evaluator(self.sink.history).instant(query, at * 1000)
        assert answer.matrix is not None
        return float(answer.matrix.values[0, 0])


def readings(kind: Kind = Kind.GAUGE, windowed: bool = True) -> Batch:
    space = KeySpace(raw=True)
    space.add(series_key("m"), kind)
    return Batch(space, np.zeros(1, np.int32), np.array([5.0]), np.array([NOW + 0.0]), raw=True, windowed=windowed)


async def test_what_was_accepted_is_in_the_history_at_once_and_in_the_windows_with_the_next_tick(
    pool: ThreadPoolExecutor,
) -> None:
    house = House(pool)
    await house.accept.metrics([readings()])
    assert house.samples("m") == [(0, 5.0)]
    for batch in house.windows:
        house.accept._recorder.take(batch)
        house.engine.ingest(batch)
    assert house.samples("m") == [(0, 5.0)], "and not twice in the history"
    house.engine.tick(NOW + 1)
    assert house.engine.column("last", 60).tolist() == [5.0]


async def test_what_is_not_for_the_windows_does_not_go_there(pool: ThreadPoolExecutor) -> None:
    house = House(pool)
    await house.accept.metrics([readings(Kind.COUNTER, windowed=False)])
    assert house.windows == []
    assert house.samples("m") == [(0, 5.0)]


async def test_nobody_is_told_success_before_the_commit_and_those_who_wait_share_one(pool: ThreadPoolExecutor) -> None:
    house = House(pool)
    house.disk.free.clear()
    first = asyncio.create_task(house.accept.metrics([readings()]))
    await asyncio.to_thread(house.disk.reached.wait, 20)
    others = [asyncio.create_task(house.accept.metrics([readings()])) for _ in range(50)]
    await asyncio.sleep(0)
    assert not first.done()
    house.disk.free.set()
    await asyncio.gather(first, *others)
    assert house.disk.begun == 2, "the one that ran, and one for all who came meanwhile"


async def test_a_disk_that_refuses_is_told_to_the_sender(pool: ThreadPoolExecutor) -> None:
    house = House(pool)
    house.disk.good = False
    with pytest.raises(NotAcceptedError, match="the disk is full"):
        await house.accept.metrics([readings()])
    house.disk.good = True
    await house.accept.metrics([readings()])


async def test_where_too_much_waits_nothing_is_taken(pool: ThreadPoolExecutor) -> None:
    house = House(pool, full=True)
    with pytest.raises(NotAcceptedError):
        await house.accept.metrics([readings()])
    assert house.samples("m") == []
    assert house.accept.figures()["admission_refused_total"] == 1


async def test_histograms_are_distributions_of_windows_and_history(pool: ThreadPoolExecutor) -> None:
    house, space = House(pool), KeySpace(raw=True)
    space.add(series_key("d"), Kind.DISTRIBUTION)
    bins = bins_of(np.array([0.1, 0.2, 0.4]))
    for second in (0, 60):
        batch = HistogramBatch(
            space,
            np.zeros(1, np.int32),
            np.array([NOW + second + 0.0]),
            np.array([0, 3]),
            bins,
            np.array([10.0, 80.0, 10.0]),
            np.array([21.0]),
        )
        await house.accept.metrics([batch])
    for told in house.windows:
        house.engine.ingest(told)
    house.engine.tick(NOW + 61)
    assert house.engine.column("count", 300).tolist() == [200.0]
    assert house.engine.column("p50", 300)[0] == pytest.approx(0.2, rel=0.006)
    assert house.asked("histogram_count(increase(d[61s]))", NOW + 60) == pytest.approx(100.0, rel=0.1), "from one to the next"
    assert house.asked("histogram_count(d)", NOW - 1) == 0.0, "an empty one stands before the first"
