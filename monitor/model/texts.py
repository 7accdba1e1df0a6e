"""Text that many rows share, told once: a table, and places in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Texts = tuple[str, ...]
"""The first is ""."""


class TextTable:
    """Gives each text its place."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {"": 0}

    def __len__(self) -> int:
        return len(self._places)

    def known(self, text: str) -> str:
        """The text if it has a place, "" if not."""
        return text if text in self._places else ""

    def place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    def texts(self) -> Texts:
        return tuple(self._places)


def told_together(tables: Sequence[Texts]) -> tuple[Texts, list[npt.NDArray[np.int32]]]:
    """One table of all, and for each of them int32: where its texts stand in that."""
    table = TextTable()
    moved = [np.array([table.place(text) for text in texts], np.int32) for texts in tables]
    return table.texts(), moved
