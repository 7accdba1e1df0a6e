"""The journal gives back what was appended, whatever happened to the file in between."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.storage.delta_codec import DamagedError, pack_delta, unpack_delta
from collector.storage.journal import RETRY_SECONDS, SEGMENT_SECONDS, Journal
from monitor.model.series import Kind, SeriesInfo, series_key
from monitor.windows.frame import Delta

COLUMNS = ("gone", "rows", "seconds", "counts", "sums", "mins", "maxs", "lasts", "last_times",
           "hist_rows", "hist_seconds", "hist_bins", "hist_counts", "set_rows", "set_seconds", "set_hashes")  # fmt: skip


def delta_at(time: float, samples: int = 3, seed: int = 0) -> Delta:
    draw = np.random.default_rng(seed)
    counts = draw.integers(1, 3, samples).astype(float)
    sums = draw.normal(size=samples)
    alone = counts == 1
    seconds = np.full(samples, int(time) - 1, np.int64)
    return Delta(
        time=time,
        added=(SeriesInfo(0, series_key("a", [("t", "x")]), Kind.GAUGE, "ms"),),
        gone=np.array([7], np.int32),
        rows=np.arange(samples, dtype=np.int32),
        seconds=seconds,
        counts=counts,
        sums=sums,
        mins=np.where(alone, sums, sums - 1),
        maxs=np.where(alone, sums, sums + 1),
        lasts=np.where(alone, sums, np.nan),
        last_times=seconds.astype(np.float64) + 0.5,
        hist_rows=np.array([1], np.int32),
        hist_seconds=np.array([int(time) - 1], np.int64),
        hist_bins=np.array([-300], np.int32),
        hist_counts=np.array([2.5]),
        set_rows=np.array([2], np.int32),
        set_seconds=np.array([int(time) - 1], np.int64),
        set_hashes=np.array([float(2**53 - 1)]),
    )


def same(one: Delta, other: Delta) -> None:
    assert (one.time, one.added) == (other.time, other.added)
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column), err_msg=column)


@given(st.integers(0, 40), st.integers(0, 1000))
def test_a_delta_is_the_same_after_being_packed(samples: int, seed: int) -> None:
    delta = delta_at(1_000_000.0, samples, seed)
    same(unpack_delta(pack_delta(delta)), delta)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_delta_are_called_damaged(data: bytes) -> None:
    with pytest.raises(DamagedError):
        unpack_delta(data)


@pytest.fixture
def open_journal() -> Iterator[Callable[..., Journal]]:
    opened: list[Journal] = []

    def open_one(folder: Path, keep: float = 3600.0) -> Journal:
        opened.append(Journal(folder, keep))
        return opened[-1]

    yield open_one
    for journal in opened:
        journal.close()


def test_what_was_appended_is_read_back_in_order(open_journal: Callable[..., Journal], tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for second in range(5):
        journal.append(delta_at(1000.0 + second), ())
    read = [delta for delta in open_journal(tmp_path).read(1005.0) if len(delta.rows)]
    assert [delta.time for delta in read] == [1000.0, 1001.0, 1002.0, 1003.0, 1004.0]
    same(read[2], delta_at(1002.0))


def test_a_segment_begins_with_the_whole_table(open_journal: Callable[..., Journal], tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    table = tuple(SeriesInfo(row, series_key(f"s{row}"), Kind.COUNTER) for row in range(3))
    assert journal.wants_table(1000.0)
    journal.append(delta_at(1000.0), table)
    assert not journal.wants_table(1001.0)
    assert journal.wants_table(1000.0 + SEGMENT_SECONDS)
    assert next(iter(open_journal(tmp_path).read(1001.0))).added == table


def test_only_the_last_hour_is_kept_and_read(open_journal: Callable[..., Journal], tmp_path: Path) -> None:
    journal = open_journal(tmp_path, keep=1200.0)
    for minute in range(60):
        journal.append(delta_at(60.0 * minute), ())
    read = [delta.time for delta in open_journal(tmp_path, keep=1200.0).read(3540.0) if len(delta.rows)]
    assert read == [60.0 * minute for minute in range(39, 60)]
    assert len({path.stem for path in tmp_path.iterdir()}) <= 1200 / SEGMENT_SECONDS + 3


@pytest.mark.parametrize("seed", range(20))
def test_a_cut_or_flipped_file_gives_what_lies_before_the_damage(
    open_journal: Callable[..., Journal], tmp_path: Path, seed: int
) -> None:
    journal = open_journal(tmp_path)
    for second in range(10):
        journal.append(delta_at(1000.0 + second), ())
    journal.close()
    (path,) = tmp_path.glob("*.journal")
    data = bytearray(path.read_bytes())
    chance = random.Random(seed)
    if seed % 2:
        del data[chance.randrange(20, len(data)) :]
    else:
        data[chance.randrange(20, len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    again = open_journal(tmp_path)
    read = [delta for delta in again.read(1010.0) if len(delta.rows)]
    assert [delta.time for delta in read] == [1000.0 + second for second in range(len(read))]
    for delta in read:
        same(delta, delta_at(delta.time))


def test_after_damage_the_next_run_writes_a_segment_of_its_own(open_journal: Callable[..., Journal], tmp_path: Path) -> None:
    first = open_journal(tmp_path)
    first.append(delta_at(1000.0), ())
    (path,) = tmp_path.glob("*.journal")
    path.write_bytes(path.read_bytes()[:-3])
    second = open_journal(tmp_path)
    assert [d for d in second.read(1001.0) if len(d.rows)] == []
    assert second.problems
    second.append(delta_at(1002.0), ())
    assert [d.time for d in open_journal(tmp_path).read(1003.0) if len(d.rows)] == [1002.0]


def test_a_folder_that_cannot_be_written_is_told_and_harms_nothing_else(
    open_journal: Callable[..., Journal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal(tmp_path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("collector.storage.journal.pack_delta", full)
    journal.append(delta_at(1000.0), ())
    assert "No space left on device" in journal.failed
    monkeypatch.undo()
    journal.append(delta_at(1000.0 + RETRY_SECONDS), ())
    assert journal.failed == ""


class FillingFile:
    """A file on a disk that takes `room` bytes more, as a full disk does: a part of a write, then an error."""

    def __init__(self, file: BinaryIO, room: int) -> None:
        self._file = file
        self._room = room
        self.name = file.name

    def write(self, data: bytes) -> int:
        taken = min(self._room, len(data))
        self._room -= taken
        if data and not taken:
            raise OSError(28, "No space left on device")
        return self._file.write(data[:taken])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("room", [0, 10, 300, 700, 1500])
def test_a_disk_that_fills_up_leaves_whole_records_and_is_tried_again(
    open_journal: Callable[..., Journal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    journal = open_journal(tmp_path)
    whole = journal._new_file
    monkeypatch.setattr(journal, "_new_file", lambda second: FillingFile(whole(second), room))
    second = 1000.0
    while not journal.failed:
        journal.append(delta_at(second), ())
        second += 1.0
    assert "No space left on device" in journal.failed
    monkeypatch.undo()
    journal.append(delta_at(second), ())
    assert journal.failed, "a disk that refused is left alone for a while"
    second += RETRY_SECONDS
    journal.append(delta_at(second), ())
    assert not journal.failed
    again = open_journal(tmp_path)
    read = [delta.time for delta in again.read(second + 1) if len(delta.rows)]
    assert again.problems == []
    assert read[-1] == second
    assert read[:-1] == [1000.0 + number for number in range(len(read) - 1)]
    assert len(list(tmp_path.glob("*.journal"))) <= 2


def test_a_disk_that_refuses_to_sync_is_told(
    open_journal: Callable[..., Journal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    journal = open_journal(tmp_path)
    journal.append(delta_at(1000.0), ())
    monkeypatch.setattr("os.fsync", broken)
    journal.sync(1000.0)
    assert "Input/output error" in journal.failed


def test_two_runs_that_begin_in_one_second_keep_both_their_segments(open_journal: Callable[..., Journal], tmp_path: Path) -> None:
    open_journal(tmp_path).append(delta_at(1000.0), ())
    open_journal(tmp_path).append(delta_at(1000.5), ())
    again = open_journal(tmp_path)
    assert [delta.time for delta in again.read(1001.0) if len(delta.rows)] == [1000.0, 1000.5]
    assert again.problems == []


def test_what_was_written_before_the_clock_was_set_back_is_left_out(open_journal: Callable[..., Journal], tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for second in (1000.0, 4600.0, 4601.0):
        journal.append(delta_at(second), ())
    assert [delta.time for delta in open_journal(tmp_path).read(1001.0)] == [1000.0, 1000.0]


def test_a_segment_of_another_format_is_named_and_left_alone(open_journal: Callable[..., Journal], tmp_path: Path) -> None:
    path = tmp_path / "000000000990-77.journal"
    path.write_bytes(b"lightship journal 0\nsomething")
    journal = open_journal(tmp_path)
    journal.append(delta_at(1000.0), ())
    assert [delta.time for delta in journal.read(1001.0) if len(delta.rows)] == [1000.0]
    assert journal.problems == [f"{path.name} is not a journal of this version and was left alone"]


def test_a_series_that_began_in_what_is_too_old_is_known_to_what_is_not(
    open_journal: Callable[..., Journal], tmp_path: Path
) -> None:
    journal = open_journal(tmp_path)
    journal.append(delta_at(1000.0), ())
    journal.append(delta_at(1100.0, seed=1))
    journal.append(delta_at(1200.0, seed=2))
    journal.close()
    found = list(open_journal(tmp_path, keep=150.0).read(1300.0))
    assert [(delta.time, len(delta.rows), len(delta.added), delta.gone.tolist()) for delta in found] == [
        (1000.0, 0, 1, []),
        (1000.0, 0, 1, [7]),
        (1100.0, 0, 1, [7]),
        (1200.0, 3, 1, [7]),
    ]
