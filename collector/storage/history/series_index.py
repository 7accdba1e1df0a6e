"""What the store asks of the registry of series (registry.py has it on disk, with its inverted index)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.history import Labels

Refs64 = npt.NDArray[np.int64]


class SeriesIndex(Protocol):
    """Series by number. Any thread. Numbers are never used again."""

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int]) -> Refs64:
        """A ref a series, new ones registered."""

    def find(self, matchers: Sequence[Matcher]) -> Refs64:
        """Refs of the series that meet all matchers, sorted."""

    def labels(self, refs: Refs64) -> list[Labels]:
        """Of each ref, in that order."""

    def kinds(self, refs: Refs64) -> npt.NDArray[np.uint8]:
        """`Kind` of each ref."""

    def label_names(self, refs: Refs64) -> list[str]:
        """Label names that these series have, sorted."""

    def label_values(self, name: str, refs: Refs64) -> list[str]:
        """Values of a label that these series have, sorted."""

    def restore(self, refs: Sequence[int], kinds: Sequence[int], labels: Sequence[Labels]) -> None:
        """Registers series under refs they had; those it knows stay as they are."""

    def close(self) -> None:
        """Nothing is asked any more."""

    def remove(self, refs: Refs64) -> None:
        """These have no samples any more."""


def counters_among(index: SeriesIndex, refs: Refs64) -> npt.NDArray[np.bool_]:
    """Which of these series are counters."""
    mask: npt.NDArray[np.bool_] = index.kinds(refs) == Kind.COUNTER
    return mask
