"""What waits for a tick is bounded, and under pressure it loses what is worth least first; figures stay right on average."""

from __future__ import annotations

import threading

import numpy as np

from collector.inflow import Inflow
from monitor.engine import Engine
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key

SECOND = 1_700_000_000.5


class Sender:
    """Batches of one receiver: a timer of 3 s, a counter of 1, a gauge that rises."""

    def __init__(self) -> None:
        self.space = KeySpace()
        self.ids = [
            self.space.add(series_key(name), kind)
            for name, kind in (("timer", Kind.DISTRIBUTION), ("counter", Kind.COUNTER), ("gauge", Kind.GAUGE))
        ]
        self.readings = 0

    def batch(self, each: int) -> Batch:
        ids = np.tile(np.array(self.ids, np.int32), each)
        values = np.tile([3.0, 1.0, 0.0], each)
        values[2::3] = self.readings + np.arange(each)
        self.readings += each
        return Batch(self.space, ids, values, np.full(3 * each, SECOND))


def counts(inflow: Inflow) -> dict[int, tuple[int, float]]:
    """By id: samples, and how much they stand for (a counter's increments, a timer's weights)."""
    found: dict[int, tuple[int, float]] = {0: (0, 0.0), 1: (0, 0.0), 2: (0, 0.0)}
    for _, batches in inflow.messages():
        for batch in batches:
            for number in found:
                mine = batch.ids == number
                weights = np.ones(len(batch)) if batch.weights is None else batch.weights
                stands = batch.values[mine].sum() if number == 1 else weights[mine].sum()
                found[number] = found[number][0] + int(mine.sum()), found[number][1] + float(stands)
    return found


def test_while_there_is_room_everything_is_taken_as_it_came() -> None:
    inflow, sender = Inflow(most=1000), Sender()
    batch = sender.batch(100)
    inflow.take([batch])
    ((ready, (left,)),) = list(inflow.messages())
    assert not ready
    assert left is batch
    assert inflow.notes() == []


def test_timings_go_before_counters_and_counters_before_the_last_readings_of_gauges() -> None:
    inflow, sender = Inflow(most=3000, random=np.random.default_rng(1)), Sender()
    for _ in range(110):
        inflow.take([sender.batch(10)])
    kept = counts(inflow)
    assert kept[0][0] < kept[1][0]
    assert kept[0][0] < 1100
    assert inflow.thinned > 0
    assert inflow.shed == 0


def test_what_is_left_stands_for_what_was_left_out() -> None:
    stood = []
    for seed in range(80):
        inflow, sender = Inflow(most=600, random=np.random.default_rng(seed)), Sender()
        for _ in range(40):
            inflow.take([sender.batch(5)])
        found = counts(inflow)
        stood.append((found[0][1], found[1][1]))
        assert inflow.shed == 0
    for values in zip(*stood, strict=True):
        assert abs(np.mean(values) - 200) < 4 * np.std(values) / np.sqrt(len(values))


def test_a_window_under_pressure_is_right_on_average_and_the_gauge_is_exact() -> None:
    sums = []
    for seed in range(12):
        inflow, sender, engine = Inflow(most=600, random=np.random.default_rng(seed)), Sender(), Engine()
        for _ in range(40):
            inflow.take([sender.batch(5)])
        for _, batches in inflow.messages():
            for batch in batches:
                engine.ingest(batch)
        engine.tick(SECOND + 1)
        rows = [engine.table.find(series_key(name)) for name in ("counter", "gauge")]
        assert None not in rows
        sums.append(float(engine.column("sum", 60.0, np.array(rows[:1], np.int32))[0]))
        assert engine.column("last", 60.0, np.array(rows[1:], np.int32))[0] == sender.readings - 1
    assert abs(np.mean(sums) - 200) < 4 * np.std(sums) / np.sqrt(len(sums))


def test_when_nothing_more_fits_it_is_counted_as_missing_and_told() -> None:
    inflow, sender = Inflow(most=100), Sender()
    inflow.put([sender.batch(34)])
    inflow.take([sender.batch(10)])
    assert inflow.shed == 30
    assert any("30 samples of the last minute are missing" in note for note in inflow.notes())
    assert not inflow.offer([]), "who can come again is asked to"
    assert inflow.offer([sender.batch(10)]), "what was let in before is taken"


def test_what_the_collector_says_of_itself_is_always_taken() -> None:
    inflow, sender = Inflow(most=100), Sender()
    inflow.put([sender.batch(40)])
    own = sender.batch(5)
    inflow.put([own])
    assert [batches for _, batches in inflow.messages()][1][0] is own


def test_it_is_told_for_a_minute_of_ticks_and_no_longer() -> None:
    inflow, sender = Inflow(most=300, random=np.random.default_rng(2)), Sender()
    for _ in range(30):
        inflow.take([sender.batch(5)])
    assert "timings before counters" in inflow.notes()[0]
    for _ in range(59):
        list(inflow.messages())
    assert inflow.notes()
    for _ in range(2):
        list(inflow.messages())
    assert inflow.notes() == []


def test_many_threads_lose_nothing_uncounted() -> None:
    inflow, sent = Inflow(most=2000), 4 * 50 * 30

    def send() -> None:
        sender = Sender()
        for _ in range(50):
            inflow.take([sender.batch(10)])

    senders = [threading.Thread(target=send) for _ in range(4)]
    for each in senders:
        each.start()
    taken = 0
    while any(each.is_alive() for each in senders):
        taken += sum(len(batch) for _, batches in inflow.messages() for batch in batches)
    for each in senders:
        each.join()
    taken += sum(len(batch) for _, batches in inflow.messages() for batch in batches)
    assert taken + inflow.thinned + inflow.shed == sent
