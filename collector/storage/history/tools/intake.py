"""The way of imported samples into a history: by the column, committed by the batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collector.storage.history.store import HistoryStore
from collector.storage.history.tools.folder import ToolError
from monitor.model.series import Kind
from monitor.query.history import Labels, Millis, Values

_FOLD_AT = 1_000_000


class Importer:
    """Appends to a store and makes sure that it is kept. `samples`, `series`: taken so far; `left_out`: what the history refused
    (of the future, or no room for another series).
    """

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._seen: set[int] = set()
        self.samples = self.left_out = 0

    @property
    def series(self) -> int:
        """How many different ones."""
        return len(self._seen)

    def refs(self, labels: Sequence[Labels], kinds: Sequence[Kind], units: Sequence[str] = ()) -> Millis:
        """The history's numbers of these series."""
        refs = self._store.intern(labels, [int(kind) for kind in kinds], units)
        self._seen.update(refs.tolist())
        return refs

    def take(self, refs: Millis, times: Millis, values: Values) -> None:
        """Samples, int64 milliseconds, in any order. They are on the disk when this returns. Raises `ToolError`."""
        if len(refs):
            taken = self._store.append(refs, times, values)
            self.samples += taken
            self.left_out += len(refs) - taken
        if not self._store.commit():
            raise ToolError(f"What was read cannot be kept: {self._store.failing}. What came before it is in the history.")
        if int(self._store.stats()["fresh_samples"]) >= _FOLD_AT:
            self._store.fold()

    def finish(self) -> None:
        """Everything becomes chunks."""
        self._store.fold()


def milliseconds(seconds: Values) -> Millis:
    """float64 seconds as int64 milliseconds."""
    return np.rint(seconds * 1000).astype(np.int64)
