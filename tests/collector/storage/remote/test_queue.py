"""The queue on disk: records in order, each once, through kills, damage and a full disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.storage.remote.packing import Columns, QueuedSeries, pack, unpack
from collector.storage.remote.queue import QueueBounds, SegmentQueue

SMALL = QueueBounds(most=10_000, segment=200)


def rest(queue: SegmentQueue) -> list[bytes]:
    """All records that were not sent, in order."""
    found = []
    while (taken := queue.take()) is not None:
        if not taken.sent:
            found.append(taken.payload)
    return found


def test_records_come_in_the_order_they_went_in(tmp_path: Path) -> None:
    queue = SegmentQueue(tmp_path, SMALL)
    written = [bytes([n]) * 50 for n in range(20)]
    for payload in written:
        queue.append(payload, 1)
    assert len(list(tmp_path.glob("*.queue"))) > 2
    assert rest(queue) == written
    assert queue.take() is None
    queue.append(b"more", 2)
    assert queue.unread == 2
    assert rest(queue) == [b"more"]


def test_sent_segments_leave_the_disk(tmp_path: Path) -> None:
    queue = SegmentQueue(tmp_path, SMALL)
    for n in range(20):
        queue.append(bytes([n]) * 50, 1)
    while (taken := queue.take()) is not None:
        queue.sent(taken.position)
    assert (queue.unsent, queue.unread) == (0, 0)
    assert len(list(tmp_path.glob("*.queue"))) == 1
    queue.close()
    queue = SegmentQueue(tmp_path, SMALL)
    assert list(tmp_path.glob("*.queue")) == []
    queue.append(b"after", 1)
    assert rest(queue) == [b"after"]


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.sampled_from(["append", "append", "take", "sent", "kill"]), max_size=60), size=st.integers(1, 120))
def test_whatever_happens_nothing_is_lost_and_only_what_was_not_sent_comes_again(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], size: int
) -> None:
    folder = tmp_path_factory.mktemp("queue")
    queue, number, position, last = SegmentQueue(folder, SMALL), 0, None, -1
    sent_up_to = -1
    for step in steps:
        if step == "append":
            queue.append(number.to_bytes(4, "big") * size, 1)
            number += 1
        elif step == "kill":
            queue, position, last = SegmentQueue(folder, SMALL), None, sent_up_to
        elif step == "sent" and position is not None:
            queue.sent(position)
            sent_up_to = last
        elif step == "take":
            taken = queue.take()
            while taken is not None and taken.sent:
                taken = queue.take()
            if taken is None:
                assert last == number - 1
            else:
                assert int.from_bytes(taken.payload[:4], "big") == last + 1
                last, position = last + 1, taken.position
        assert queue.unsent == number - 1 - sent_up_to
        assert queue.unread == number - 1 - last


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_half_a_record_at_the_end_costs_that_record_only(tmp_path: Path, cut: int) -> None:
    queue = SegmentQueue(tmp_path, QueueBounds())
    for n in range(3):
        queue.append(bytes([n]) * 48, 1)
    path = next(tmp_path.glob("*.queue"))
    path.write_bytes(path.read_bytes()[:-cut])
    queue = SegmentQueue(tmp_path, QueueBounds())
    queue.append(b"after", 1)
    assert rest(queue) == [bytes([0]) * 48, bytes([1]) * 48, b"after"]
    assert len(queue.problems) == 1


@pytest.mark.parametrize("at", range(0, 200, 3))
def test_damage_anywhere_costs_what_it_hits_and_never_a_wrong_record(tmp_path: Path, at: int) -> None:
    queue = SegmentQueue(tmp_path, QueueBounds(segment=100))
    written = [bytes([n]) * 40 for n in range(8)]
    for payload in written:
        queue.append(payload, 1)
    path = min(tmp_path.glob("*.queue"))
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 0x10
    path.write_bytes(bytes(data))
    queue = SegmentQueue(tmp_path, QueueBounds(segment=100))
    found = rest(queue)
    assert all(payload in written for payload in found)
    assert found[-6:] == written[-6:]


def test_a_folder_that_is_no_queue_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "000000000001.queue").write_bytes(b"something else")
    (tmp_path / "name.queue").write_bytes(b"")
    (tmp_path / "sent").write_bytes(b"no position")
    queue = SegmentQueue(tmp_path, QueueBounds())
    queue.append(b"x", 1)
    assert rest(queue) == [b"x"]
    assert len(queue.problems) == 2
    assert (tmp_path / "000000000001.queue").read_bytes() == b"something else"


@given(st.binary(max_size=100))
def test_noise_is_no_record(data: bytes) -> None:
    with pytest.raises(ValueError, match="queue"):
        unpack(data)


def test_a_record_comes_back(tmp_path: Path) -> None:
    series = (QueuedSeries(3, (("__name__", "up"),), 1, "ms"),)
    epoch, found, columns = unpack(pack(7, series, Columns()))
    assert (epoch, found, len(columns)) == (7, series, 0)
