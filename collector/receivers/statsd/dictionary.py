"""From the spelling of a line without its value to a series of the key space, its multiplier and its weight."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from collector.receivers.statsd.grammar import MalformedLineError, Suffix, clean, read_suffix, read_tag
from collector.receivers.statsd.slots import UNKNOWN, Slots
from monitor.model.batch import Floats, Ids
from monitor.model.series import KeySpace, Kind, SeriesKey, TooLongError, series_key

SEPARATOR = b":|"
MAX_SHARED_TAGS = 20_000

Column = TypeVar("Column", bound=np.generic)


class Dictionary:
    """Slots of one key space: `slot` leads to one by its spelling, `slots` to many at once by their spellings' hashes.

    The columns say what a sample of a slot means. `ids` int32: id in `space`. `factors` float64: multiplies a counter's
    value (1 / rate). `weights` float64: observations a distribution's sample stands for. `by_hand` bool: the value is no
    number (sets) or the slot is `UNKNOWN`. Several spellings (other order of tags, other rate) may lead to one series.
    """

    def __init__(self) -> None:
        self.space = KeySpace()
        self.slots = Slots()
        self._spellings: dict[bytes, int] = {}
        self.kinds: list[Kind] = [Kind.GAUGE]
        self.ids: Ids = np.zeros(1024, np.int32)
        self.factors: Floats = np.ones(1024)
        self.weights: Floats = np.ones(1024)
        self.by_hand: npt.NDArray[np.bool_] = np.zeros(1024, np.bool_)
        self.by_hand[UNKNOWN] = True
        self.sampled = False
        self.bytes = 0
        self._series: dict[tuple[SeriesKey, Kind], int] = {}
        self._tags: dict[bytes, tuple[str, str] | None] = {}

    def __len__(self) -> int:
        return len(self._spellings)

    def slot(self, spelling: bytes) -> int:
        """The slot of a spelling (name, `SEPARATOR`, suffix), `UNKNOWN` if it has not been met."""
        return self._spellings.get(spelling, UNKNOWN)

    def learn(self, name: bytes, suffix: bytes) -> tuple[int, float | None]:
        """The slot of a line's name and suffix, remembered from now on, and its own timestamp if it carries one.

        Raises `MalformedLineError`. Spellings with a timestamp differ each second, so they are known without it.
        """
        fields = suffix.rstrip(b"\r").split(b"|")
        meaning = read_suffix(fields)
        stamped = any(field[:1] == b"T" for field in fields[1:])
        if stamped:
            suffix = b"|".join(fields[:1] + [field for field in fields[1:] if field[:1] != b"T"])
        spelling = name + SEPARATOR + suffix
        slot = self.slot(spelling)
        if slot == UNKNOWN:
            slot = self._spellings[spelling] = self._add(self._id(name, meaning), meaning)
            self.slots.put(hash(spelling), slot)
            self.bytes += len(spelling)
        return slot, meaning.timestamp

    def gauge(self, name: bytes, tags: list[bytes]) -> int:
        """The slot of a gauge that no metric's line spells (a service check), remembered from now on.

        Raises `MalformedLineError`.
        """
        spelling = b"|".join((name, *tags))  # a metric's line has `SEPARATOR` after its name
        slot = self.slot(spelling)
        if slot == UNKNOWN:
            meaning = Suffix(Kind.GAUGE, "", 1.0, tags, None)
            slot = self._spellings[spelling] = self._add(self._id(name, meaning), meaning)
            self.bytes += len(spelling)
        return slot

    def _id(self, name: bytes, meaning: Suffix) -> int:
        tags = [pair for pair in map(self._tag, meaning.tags) if pair is not None]
        try:
            key = series_key(clean(name), tags)
        except TooLongError:
            raise MalformedLineError("name or tags too long") from None
        known = self._series.get((key, meaning.kind))
        if known is None:
            known = self._series[key, meaning.kind] = self.space.add(key, meaning.kind, meaning.unit)
        return known

    def _tag(self, text: bytes) -> tuple[str, str] | None:
        # Many series share few tags: one pair of strings for each saves most of the memory of their keys.
        if text not in self._tags:
            if len(self._tags) >= MAX_SHARED_TAGS:
                self._tags.clear()
            self._tags[text] = read_tag(text)
        return self._tags[text]

    def _add(self, series: int, meaning: Suffix) -> int:
        slot = len(self.kinds)
        if slot == len(self.ids):
            self.ids, self.factors = _doubled(self.ids), _doubled(self.factors)
            self.weights, self.by_hand = _doubled(self.weights), _doubled(self.by_hand)
        scale = 1.0 / meaning.rate
        self.kinds.append(meaning.kind)
        self.ids[slot] = series
        self.factors[slot] = scale if meaning.kind is Kind.COUNTER else 1.0
        self.weights[slot] = scale if meaning.kind is Kind.DISTRIBUTION else 1.0
        self.by_hand[slot] = meaning.kind is Kind.SET
        self.sampled |= scale != 1.0
        return slot


def _doubled(column: npt.NDArray[Column]) -> npt.NDArray[Column]:
    grown = np.empty(2 * len(column), column.dtype)
    grown[: len(column)] = column
    return grown
