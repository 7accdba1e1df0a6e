"""What is recorded goes to both histories, under the refs each of them knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collector.storage.memory_sink import MemorySink
from collector.storage.remote.both import BothSinks
from monitor.model.batch import Floats, Ids
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.history import Hints, Labels
from monitor.windows.fold import Longs

GAUGE, DISTRIBUTION = int(Kind.GAUGE), int(Kind.DISTRIBUTION)


class Far(MemorySink):
    """Has room for few series, and may give its refs out anew."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.safe = True

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Longs:
        found = super().intern(labels, kinds, units)
        return np.where(found < self.room, found, -1)

    def commit(self) -> bool:
        return self.safe


def named(name: str) -> Labels:
    return (("__name__", name),)


def samples(sink: MemorySink, name: str) -> list[tuple[int, float]]:
    blocks = sink.history.select([Matcher("__name__", "=", name)], 0, 1 << 60, Hints()).blocks
    return [
        (time, cell.count if block.histograms is not None and (cell := block.histograms[0, at]) is not None else value)
        for block in blocks
        for at, (time, value) in enumerate(zip(block.times.tolist(), block.values[0].tolist(), strict=True))
    ]


def test_both_get_every_sample_though_their_refs_differ() -> None:
    near, far = MemorySink(), Far(100)
    near.intern([named("before")], [GAUGE])
    both = BothSinks(near, far)
    refs = both.intern([named("a"), named("b")], [GAUGE, GAUGE])
    assert both.kinds(refs).tolist() == [GAUGE, GAUGE]
    both.append(refs, np.array([1000, 2000]), np.array([1.0, 2.0]))
    for sink in (near, far):
        assert samples(sink, "a") == [(1000, 1.0)]
        assert samples(sink, "b") == [(2000, 2.0)]


def test_a_series_without_room_there_is_kept_here() -> None:
    near, far = MemorySink(), Far(1)
    both = BothSinks(near, far)
    refs = both.intern([named("a"), named("b")], [DISTRIBUTION, DISTRIBUTION])
    bins: Ids = np.array([1, 2, 3], np.int32)
    counts: Floats = np.array([1.0, 1.0, 5.0])
    both.append_histograms(refs[::-1], np.array([1000, 1000]), np.array([0, 2, 3]), bins, counts, np.array([1.0, 2.0]))
    assert samples(near, "b") == [(1000, 2.0)]
    assert samples(near, "a") == [(1000, 5.0)]
    assert samples(far, "a") == [(1000, 5.0)]
    assert samples(far, "b") == []


def test_refs_given_out_anew_are_learnt_anew() -> None:
    near, far = MemorySink(), Far(100)
    both = BothSinks(near, far)
    refs = both.intern([named("a")], [GAUGE])
    before = both.generation
    far.generation += 1
    assert both.generation > before
    both.intern([named("b")], [GAUGE])
    both.append(refs, np.array([1000]), np.array([1.0]))
    assert samples(far, "a") == [], "nobody knows what that ref means there now"
    assert samples(near, "a") == [(1000, 1.0)]


def test_safe_is_what_is_safe_in_both() -> None:
    near, far = MemorySink(), Far(100)
    both = BothSinks(near, far)
    assert both.commit()
    far.safe = False
    assert not both.commit()
