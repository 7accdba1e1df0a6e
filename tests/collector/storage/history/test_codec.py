"""What is packed comes back bit for bit, and what is damaged does not come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from collector.storage.history.chunk_table import times_id
from collector.storage.history.codec import Chunk, DamagedChunkError, Stay, pack_floats, pack_times, slots_of, unpack_times
from monitor.query.history import STALE, Values

BITS = st.one_of(
    st.floats(allow_nan=True).map(lambda v: int(np.array([v]).view(np.uint64)[0])),
    st.integers(0, 2**64 - 1),
    st.sampled_from([0x7FF0000000000002, 0x7FF8000000000001, 0x8000000000000000, 0xFFF8000000000000]),
)


@given(st.lists(BITS, min_size=1, max_size=6), st.integers(1, 300), st.integers(1, 5), st.sampled_from(Stay))
@settings(max_examples=200, deadline=None)
def test_values_come_back_bit_for_bit(pool: list[int], size: int, series: int, stay: Stay) -> None:
    chance = np.random.default_rng(len(pool) * size)
    bits = chance.choice(np.array(pool, np.uint64), (series, size))
    slots = np.sort(chance.choice(64, series, replace=False)).astype(np.uint8)
    blob = pack_floats(slots, bits.view(np.float64), stay)
    chunk = Chunk(blob)
    assert chunk.slots.tolist() == slots_of(blob[:70]).tolist() == slots.tolist()
    out = np.zeros((series, size + 2))
    chunk.read_into(out, range(series), range(series), slice(1, size + 1), size, None)
    assert (out.view(np.uint64)[:, 1:-1] == bits).all()
    assert (out[:, [0, -1]] == 0).all()
    picked = np.empty((1, len(range(0, size, 3))))
    chunk.read_into(picked, [0], [series - 1], slice(0, picked.shape[1]), size, slice(0, size, 3))
    assert (picked.view(np.uint64)[0] == bits[-1, ::3]).all()


@given(arrays(np.int64, st.integers(1, 50), elements=st.integers(-(2**50), 2**50), unique=True))
@settings(deadline=None)
def test_times_come_back(times: np.ndarray) -> None:
    times.sort()
    assert unpack_times(pack_times(times)).tolist() == times.tolist()


def test_regular_times_take_no_room() -> None:
    assert len(pack_times(np.arange(10_000) * 15_000 + 7)) < 30
    assert times_id(np.arange(5)) != times_id(np.arange(6))


def test_numbers_as_hosts_have_them_take_about_a_byte() -> None:
    """What compresses at all compresses as well with staleness markers in it."""
    chance = np.random.default_rng(1)
    walks = 50 + np.cumsum(chance.normal(0, 0.3, (64, 960)), axis=1)
    gauges: Values = np.asarray(np.round(np.clip(walks, 0, 100), 2), np.float64)
    slots = np.arange(64, dtype=np.uint8)
    plain = len(pack_floats(slots, gauges))
    gauges[:, 100] = STALE
    assert plain < 1.2 * gauges.size
    assert len(pack_floats(slots, gauges)) < plain + 64 * 30
    assert len(pack_floats(slots, np.full((64, 960), 3.5))) < 64 * 20


def test_any_flipped_bit_is_noticed() -> None:
    blob = bytearray(pack_floats(np.arange(3, dtype=np.uint8), np.random.default_rng(1).random((3, 40))))
    for place in range(0, len(blob), 3):
        for bit in (1, 16, 128):
            blob[place] ^= bit
            with pytest.raises(DamagedChunkError):
                Chunk(bytes(blob))
            blob[place] ^= bit
    for size in (0, 3, 4, 5, len(blob) - 1):
        with pytest.raises(DamagedChunkError):
            Chunk(bytes(blob[:size]))


def test_a_chunk_of_another_length_is_noticed() -> None:
    chunk = Chunk(pack_floats(np.zeros(1, np.uint8), np.random.default_rng(1).random((1, 200))))
    for size in (199, 201):
        with pytest.raises(DamagedChunkError):
            chunk.read_into(np.empty((1, size)), [0], [0], slice(0, size), size, None)
