"""A series is a name and sorted tags; receivers hand series on as ids of their own key space."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Tags = tuple[tuple[str, str], ...]

MAX_NAME = 256
MAX_TAGS = 32
MAX_TAG_KEY = 128
MAX_TAG_VALUE = 256


class Kind(enum.IntEnum):
    """What a series' samples mean to the windows.

    A counter's samples are increments, a gauge's are readings, a distribution's are single observations,
    a set's are 53-bit hashes of its members (exact in a float64).
    """

    GAUGE = 0
    COUNTER = 1
    DISTRIBUTION = 2
    SET = 3


class SeriesKey(NamedTuple):
    """Identity of a series. `tags` are sorted by name, names unique."""

    name: str
    tags: Tags

    def label(self) -> str:
        """`name{tag="value",…}`: how a series is written for people."""
        if not self.tags:
            return self.name
        inner = ",".join(f'{name}="{value}"' for name, value in self.tags)
        return f"{self.name}{{{inner}}}"


class SeriesInfo(msgspec.Struct, frozen=True):
    """A series as the table and the stream know it. `unit` is "" when nobody said: "ms", "s", "bytes", "percent", …"""

    row: int
    key: SeriesKey
    kind: Kind
    unit: str = ""


class TooLongError(ValueError):
    """A name or tag is over its bound; the message says which."""


def series_key(name: str, tags: Iterable[tuple[str, str]] = ()) -> SeriesKey:
    """The key for a name and tags in any order (of duplicates the last wins). Raises `TooLongError` over the bounds above."""
    if not name or len(name) > MAX_NAME:
        raise TooLongError(f"series name has {len(name)} characters (1 to {MAX_NAME} allowed)")
    unique = dict(tags)
    if len(unique) > MAX_TAGS:
        raise TooLongError(f"series has {len(unique)} tags (at most {MAX_TAGS})")
    for key, value in unique.items():
        if not key or len(key) > MAX_TAG_KEY or len(value) > MAX_TAG_VALUE:
            raise TooLongError(f"tag {key[:40]!r} is over its length ({MAX_TAG_KEY} and {MAX_TAG_VALUE} characters)")
    return SeriesKey(name, tuple(sorted(unique.items())))


class KeySpace:
    """The dictionary of one receiver: it gives each series it meets a small id, and batches speak in those ids.

    Append-only, so that a receiver in another thread may add while the engine reads: the engine resolves an id to a row
    of its table the first time it sees it and again after the row was given up. When a receiver's dictionary grows past
    its bound it starts a new `KeySpace`.
    """

    def __init__(self, raw: bool = False) -> None:
        self.raw = raw
        """Whether its samples go to the history as they came (see `Batch.raw`) and not as the windows sum them up."""
        self.keys: list[SeriesKey] = []
        self.kinds: list[Kind] = []
        self.units: list[str] = []
        self.passing: list[bool] = []
        self.rows: npt.NDArray[np.int32] = np.empty(0, np.int32)
        """Engine's own: row of each id, -1 where not resolved (may be shorter than `keys`)."""

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, key: SeriesKey, kind: Kind, unit: str = "", passing: bool = False) -> int:
        """The id of a new series. The caller keeps the way back from its own spelling to the id.

        `passing`: of something that comes and goes (a process), so that it need not be kept for an hour after its end.
        """
        self.passing.append(passing)
        self.kinds.append(kind)
        self.units.append(unit)
        self.keys.append(key)
        return len(self.keys) - 1
