"""The table of slots answers as a dictionary does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.statsd.slots import UNKNOWN, Slots

crowded = st.integers(-40, 40).map(lambda n: n * 4096) | st.integers(-(2**63), 2**63 - 1)


@given(st.dictionaries(crowded, st.integers(1, 2**31 - 1), max_size=60), st.lists(crowded, max_size=60))
def test_it_answers_as_a_dictionary_does(known: dict[int, int], others: list[int]) -> None:
    slots = Slots()
    for key, slot in known.items():
        slots.put(key, slot)
    asked = [*known, *others, *known]
    assert slots.get(np.array(asked, np.int64)).tolist() == [known.get(key, UNKNOWN) for key in asked]


def test_it_grows() -> None:
    slots = Slots()
    keys = [hash(b"spelling %d" % i) for i in range(30_000)]
    for number, key in enumerate(keys, 1):
        slots.put(key, number)
    slots.put(keys[0], 7)
    assert slots.get(np.array(keys)).tolist() == [7, *range(2, 30_001)]
