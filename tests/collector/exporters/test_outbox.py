"""The queue of an export: what was put in arrives in order, whatever happens on the way, or is counted as lost."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.exporters.exporter import Patience, bounds_of
from collector.exporters.outbox import Outbox
from collector.storage.remote.queue import QueueBounds, SegmentQueue
from collector.storage.remote.request import Reply
from tests.collector.waits import Waits, running, until
from tests.running import ROOT

SMALL = QueueBounds(most=10_000, segment=1000)


class Target:
    """Answers with what it was told to, then takes everything."""

    def __init__(self, *answers: Reply) -> None:
        self.answers = list(answers)
        self.taken: list[bytes] = []
        self.away = False

    async def deliver(self, message: bytes) -> Reply:
        if self.away:
            return Reply("again", None, "it is away")
        reply = self.answers.pop(0) if self.answers else Reply("done")
        if reply.kind == "done":
            self.taken.append(message)
        return reply


def outbox(folder: Path, target: Target, waits: Waits, bounds: QueueBounds = SMALL, random: float = 0.5) -> Outbox:
    return Outbox(
        folder, bounds, target.deliver, "there", what="lines", clock=waits.clock, sleep=waits.sleep, random=lambda: random
    )


def one(payload: bytes, items: int = 1) -> Callable[[], list[tuple[bytes, int]]]:
    return lambda: [(payload, items)]


async def test_a_target_that_is_away_gets_everything_afterwards_in_order(tmp_path: Path) -> None:
    target, waits = Target(), Waits()
    target.away = True
    box = outbox(tmp_path, target, waits)
    async with running(box.run()):
        for n in range(50):
            box.put(one(b"%d" % n), 1)
        # All are on the disk only after a while: attempts begin with the first of them.
        await until(
            lambda: box.counters.failures > 5 and box.notes() == ["there takes no lines (it is away); 50 wait in the queue"]
        )
        assert box.figures()["export_failing"] == 1
        target.away = False
        await until(lambda: box.idle)
    assert target.taken == [b"%d" % n for n in range(50)]
    assert box.notes() == []
    assert box.figures()["export_sent_total"] == 50
    box.close()


async def test_waits_double_up_to_the_longest_and_half_of_each_is_chance(tmp_path: Path) -> None:
    again = Reply("again", None, "status 503")
    waits = Waits()
    box = outbox(tmp_path, Target(*[again] * 9), waits, random=0.0)
    async with running(box.run()):
        box.put(one(b"x"), 1)
        await until(lambda: box.idle)
    assert waits.seconds == [0.25, 0.5, 1, 2, 4, 8, 15, 15, 15]
    assert Patience().after(0, 0.99) == pytest.approx(0.4975)
    box.close()


async def test_what_the_target_asks_to_be_waited_is_waited(tmp_path: Path) -> None:
    waits = Waits()
    box = outbox(tmp_path, Target(Reply("again", None, "slow down", 20.0)), waits, random=0.0)
    async with running(box.run()):
        box.put(one(b"x"), 1)
        await until(lambda: box.idle)
    assert waits.seconds == [20.25]
    box.close()


async def test_what_is_refused_is_counted_told_and_not_repeated(tmp_path: Path) -> None:
    target = Target(Reply("refused", None, "status 400: no"))
    box = outbox(tmp_path, target, Waits())
    async with running(box.run()):
        box.put(one(b"bad", 7), 7)
        box.put(one(b"good", 3), 3)
        await until(lambda: box.idle)
    assert target.taken == [b"good"]
    figures = box.figures()
    assert (figures["export_sent_total"], figures["export_refused_total"], figures["export_failures_total"]) == (3, 7, 0)
    assert box.notes() == ["there refused 7 lines in all; the last time: status 400: no"]
    box.close()


async def test_a_part_that_was_rejected_is_counted(tmp_path: Path) -> None:
    box = outbox(tmp_path, Target(Reply("done", None, "too old", rejected=2)), Waits())
    async with running(box.run()):
        box.put(one(b"x", 10), 10)
        await until(lambda: box.idle)
    assert (box.counters.sent, box.counters.refused) == (8, 2)
    box.close()


async def test_a_full_queue_gives_up_the_oldest_and_says_so(tmp_path: Path) -> None:
    target, waits = Target(), Waits()
    target.away = True
    box = outbox(tmp_path, target, waits)
    async with running(box.run()):
        for n in range(300):
            box.put(one(b"%03d" % n + bytes(97)), 1)
            if n % 50 == 0:
                await until(lambda: not box._waiting)
        await until(lambda: not box._waiting)
        figures = box.figures()
        assert figures["export_queue_bytes"] <= SMALL.most
        assert figures["export_dropped_total"] > 200
        assert any("were given up because its queue was full" in note for note in box.notes())
        target.away = False
        await until(lambda: box.idle)
    # The one that was under way when the queue filled up went out as well, and is counted as sent.
    arrived = [int(message[:3]) for message in target.taken]
    assert arrived == sorted(arrived)
    assert arrived[-1] == 299
    assert len(arrived) + box.figures()["export_dropped_total"] in (300, 301)
    box.close()


async def test_more_than_memory_is_to_hold_is_dropped_and_counted(tmp_path: Path) -> None:
    box = Outbox(tmp_path, SMALL, Target().deliver, "there", most_waiting=10)
    box.put(one(b"x", 8), 8)
    box.put(one(b"y", 8), 8)
    assert box.figures()["export_dropped_total"] == 8
    box.close()


async def test_a_disk_that_refuses_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, waits = Target(), Waits()
    box = outbox(tmp_path, target, waits)
    real, refusals = SegmentQueue.append, [1, 1]

    def append(self: SegmentQueue, payload: bytes, samples: int) -> None:
        if refusals:
            refusals.pop()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, payload, samples)

    monkeypatch.setattr(SegmentQueue, "append", append)
    async with running(box.run()):
        box.put(one(b"x"), 1)
        await until(lambda: box.idle)
    assert target.taken == [b"x"]
    assert waits.seconds == [5.0, 5.0]
    box.close()


async def test_a_mistake_in_one_message_costs_that_one_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def wrong() -> list[tuple[bytes, int]]:
        raise ZeroDivisionError

    target = Target()
    box = outbox(tmp_path, target, Waits())
    async with running(box.run()):
        box.put(wrong, 4)
        box.put(one(b"x"), 1)
        await until(lambda: box.idle)
    assert target.taken == [b"x"]
    assert box.counters.dropped == 4
    assert "could not be put into words" in caplog.text
    box.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from collector.exporters.exporter import bounds_of
from collector.exporters.outbox import Outbox
from collector.storage.remote.request import Reply

async def away(message):
    return Reply("again")

async def main():
    box = Outbox(Path(sys.argv[1]), bounds_of(1 << 20), away, "there")
    running = asyncio.create_task(box.run())
    for n in range(100):
        box.put(lambda n=n: [(b"%d" % n, 1)], 1)
    while box._waiting:
        await asyncio.sleep(0.01)
    print("queued", flush=True)
    await running

asyncio.run(main())
"""


async def test_what_was_queued_before_a_kill_is_sent_after_the_restart(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path), stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"queued\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    target = Target()
    box = outbox(tmp_path, target, Waits(), bounds_of(1 << 20))
    async with running(box.run()):
        await until(lambda: box.idle)
    assert target.taken == [b"%d" % n for n in range(100)]
    box.close()


async def test_what_was_sent_is_not_sent_again_after_a_restart(tmp_path: Path) -> None:
    target = Target()
    for first in (0, 10):
        box = outbox(tmp_path, target, Waits())
        async with running(box.run()):
            for n in range(first, first + 10):
                box.put(one(b"%d" % n), 1)
            await until(lambda box=box: box.idle)  # type: ignore[misc]
        box.close()
    assert target.taken == [b"%d" % n for n in range(20)]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_torn_or_flipped_queue_loses_what_is_behind_the_damage_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("queue")
    queue = SegmentQueue(folder, SMALL)
    written = [b"%03d" % n * data.draw(st.integers(1, 40)) for n in range(20)]
    for payload in written:
        queue.append(payload, 1)
    queue.close()
    path = data.draw(st.sampled_from(sorted(folder.glob("*.queue"))))
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        del raw[at:]
    else:
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    queue = SegmentQueue(folder, SMALL)
    found = []
    while (taken := queue.take()) is not None:
        found.append(taken.payload)
    queue.append(b"after", 1)
    last = queue.take()
    queue.close()
    assert [payload for payload in written if payload in found] == found  # whole, in order, each once
    assert last is not None
    assert last.payload == b"after"
    if found != written:
        lost = [written.index(payload) for payload in written if payload not in found]
        assert lost == list(range(lost[0], lost[-1] + 1))  # of one segment only
