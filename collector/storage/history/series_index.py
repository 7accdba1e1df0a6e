"""What the store asks of the registry of series (registry.py has it on disk, with its inverted index)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.history import Labels, Metadata

Refs64 = npt.NDArray[np.int64]


class SeriesIndex(Protocol):
    """Series by number. Any thread. Numbers are never used again."""

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Refs64:
        """A ref a series, new ones registered; -1 where there is no room for another."""

    def news(self) -> tuple[list[int], list[int], list[Labels]]:
        """Refs, kinds and labels of the series registered since the last call: for the journal, before samples of them."""

    @property
    def unsaved(self) -> int:
        """How many series `save` would write or take out."""

    def save(self, connection: sqlite3.Connection) -> None:
        """Writes what is new, in the caller's transaction; `saved` is to be called once that is committed."""

    def saved(self) -> None:
        """What `save` wrote is committed."""

    def find(self, matchers: Sequence[Matcher]) -> Refs64:
        """Refs of the series that meet all matchers, sorted."""

    def labels(self, refs: Refs64) -> list[Labels]:
        """Of each ref, in that order; () of one that is not known."""

    def kinds(self, refs: Refs64) -> npt.NDArray[np.uint8]:
        """`Kind` of each ref, 255 of one that is not known."""

    def label_names(self, refs: Refs64) -> list[str]:
        """Label names that these series have, sorted."""

    def label_values(self, name: str, refs: Refs64) -> list[str]:
        """Values of a label that these series have, sorted."""

    def restore(self, refs: Sequence[int], kinds: Sequence[int], labels: Sequence[Labels]) -> None:
        """Registers series under refs they had; those it knows stay as they are."""

    def reserve(self, ref: int) -> None:
        """Refs up to this one were given out, whatever else is known."""

    def figures(self) -> dict[str, int]:
        """Gauges and counters for health."""

    def metadata(self) -> dict[str, Metadata]:
        """By metric name, of the metrics something is known of."""

    def close(self) -> None:
        """Nothing is asked any more."""

    def remove(self, refs: Refs64) -> None:
        """These have no samples any more."""


def counters_among(index: SeriesIndex, refs: Refs64) -> npt.NDArray[np.bool_]:
    """Which of these series are counters."""
    mask: npt.NDArray[np.bool_] = index.kinds(refs) == Kind.COUNTER
    return mask
