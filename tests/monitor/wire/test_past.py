"""Charts that reach beyond the engine's hour: the older part comes from the archive, in another thread, without a seam."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from monitor.model.batch import Floats
from monitor.model.series import SeriesInfo
from monitor.windows.frame import History
from monitor.wire import messages as m
from monitor.wire.codec import MSGPACK, Codec
from monitor.wire.past import Work
from monitor.wire.session import Session
from monitor.wire.shared import Limits, Shared
from ui.client.fake import FakeCollector

NOW = 1_000_000.0
DAY = 86_400.0


def clock(times: Floats) -> Floats:
    return times * 1.0


class Clock:
    """An archive of three days in which every value is its time, as it is in the engine."""

    since = NOW - 3 * DAY

    def __init__(self, seam: float = NOW - 3600, coarsest: float = 0.0, trouble: str = "") -> None:
        self.seam = seam
        self.asked: list[tuple[str, float, float, float, float]] = []
        self._coarsest = coarsest
        self._trouble = trouble

    def history(self, series: Sequence[SeriesInfo], field: str, window: float, start: float, end: float, step: float) -> History:
        if self._trouble:
            raise ValueError(self._trouble)
        self.asked.append((field, window, start, end, step))
        step = max(step, self._coarsest)
        times = np.arange((math.floor(start / step) + 1) * step, end + 0.5, step)
        rows = np.array([info.row for info in series], np.int32)
        return History(rows, times, np.tile(times, (len(rows), 1)), step, field, window)


class Stage:
    def __init__(self, archive: Clock | None, limits: Limits | None = None) -> None:
        self.source = FakeCollector(now=NOW)
        self.source.archive = archive
        for name in ("a", "b"):
            self.source.gauge("room.clock", clock, {"n": name})
        self.session = Session(Shared(self.source, limits), Codec(MSGPACK))
        self.works = 0

    def ask(self, request: m.Request) -> list[m.Message]:
        """The answers, work done as a server does it."""
        told = []
        for packet in self.session.receive(request) or ():
            if isinstance(packet, Work):
                packet.run()
                self.works += 1
            elif packet:
                told.append(Codec().decode(packet))
        return told

    def history(self, request: m.Request) -> list[m.History]:
        return [message for message in self.ask(request) if isinstance(message, m.History)]


def test_a_day_asked_for_is_told_whole_and_without_a_seam() -> None:
    stage = Stage(Clock())
    parts = stage.history(m.Subscribe(1, "room.clock", ("last",), since=-DAY, step=120.0))
    times = np.concatenate([part.times for part in parts])
    assert stage.works > 0
    assert times[0] <= NOW - DAY + 240
    assert times[-1] >= NOW - 120
    assert (np.diff(times) > 0).all()
    assert np.diff(times).max() <= 120.0
    values = np.concatenate([part.columns[0].reshape(2, -1) for part in parts], axis=1)
    np.testing.assert_allclose(values[0], times, atol=1.5)


def test_one_question_gets_one_answer_on_one_grid() -> None:
    stage = Stage(Clock())
    (answer,) = stage.history(m.HistoryQuery(1, "room.clock", ("last", "mean"), NOW - DAY, NOW, step=60.0))
    assert set(np.diff(answer.times).tolist()) == {60.0}
    assert np.isfinite(answer.columns[0]).all()
    assert answer.id == 1


def test_a_point_of_a_long_range_stands_for_all_of_its_step() -> None:
    archive = Clock()
    Stage(archive).history(m.HistoryQuery(1, "room.clock", ("mean",), NOW - DAY, NOW - 7200, window=60.0, step=600.0))
    assert archive.asked[0][1] == 600.0


def test_what_the_engine_was_not_told_comes_from_the_archive() -> None:
    archive = Clock(seam=NOW - 100)
    stage = Stage(archive)
    stage.history(m.Subscribe(1, "room.clock", ("last",), since=-1800.0, step=10.0))
    _, _, start, end, step = archive.asked[0]
    assert start <= NOW - 1790
    assert NOW - 100 <= end <= NOW
    assert step == 10.0


def test_the_last_hour_is_not_asked_of_the_archive() -> None:
    stage = Stage(Clock())
    stage.history(m.Subscribe(1, "room.clock", ("last",), since=-1800.0))
    assert stage.works == 0


def test_a_coarser_answer_says_so() -> None:
    stage = Stage(Clock(coarsest=3600.0))
    first, *_ = stage.history(m.Subscribe(1, "room.clock", ("last",), since=-2 * DAY, step=60.0))
    assert first.step == 3600.0


def test_nothing_is_asked_before_what_is_kept() -> None:
    archive = Clock()
    Stage(archive).history(m.Subscribe(1, "room.clock", ("last",), since=-30 * DAY, step=600.0))
    assert archive.asked[0][2] >= archive.since - 600


def test_trouble_in_the_archive_is_told_to_who_asked() -> None:
    stage = Stage(Clock(trouble="the disk does not answer"))
    (reply,) = stage.ask(m.HistoryQuery(5, "room.clock", ("last",), NOW - DAY, NOW, step=60.0))
    assert isinstance(reply, m.Reply)
    assert reply.error == "the disk does not answer"
    told = stage.history(m.Subscribe(6, "room.clock", ("last",), since=-DAY, step=60.0))
    assert told[0].times[0] > NOW - 3700


def test_work_that_nobody_runs_is_done_when_the_answer_goes_on() -> None:
    done = []
    work = Work(lambda: done.append(1))
    assert work == b""
    work.run()
    work.run()
    assert done == [1]
    stage = Stage(Clock())
    packets = stage.session.receive(m.HistoryQuery(1, "room.clock", ("last",), NOW - DAY, NOW, step=60.0)) or ()
    (answer,) = [Codec().decode(packet) for packet in packets if packet]
    assert isinstance(answer, m.History)
    assert len(answer.times) > 1000


def test_a_connection_that_is_live_cannot_seek() -> None:
    (reply,) = Stage(None).ask(m.Seek(1, NOW - 100))
    assert isinstance(reply, m.Reply)
    assert "this connection is live" in reply.error


@pytest.mark.parametrize("speed", [math.nan, math.inf])
def test_a_seek_that_makes_no_sense_is_refused(speed: float) -> None:
    stage = Stage(None)
    stage.source._hello = m.Hello("1", "x", "b", NOW, 1.0, (60.0,), 3600.0, rewound=NOW, read_only=True)
    (reply,) = stage.ask(m.Seek(1, NOW - 100, speed))
    assert isinstance(reply, m.Reply)
    assert "speed seconds a second" in reply.error
