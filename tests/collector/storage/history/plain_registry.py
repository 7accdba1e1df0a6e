"""A registry of series that is a list: what the store needs of one, and slow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import Matcher
from monitor.query.history import Labels


class PlainRegistry:
    """Kept by path for as long as the test runs, so that a store opened anew finds what it knew."""

    def __init__(self) -> None:
        self._labels: list[Labels | None] = []
        self._kinds: list[int] = []

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int]) -> npt.NDArray[np.int64]:
        for one, kind in zip(labels, kinds, strict=True):
            if one not in self._labels:
                self._labels.append(one)
                self._kinds.append(kind)
        return np.array([self._labels.index(one) for one in labels], np.int64)

    def find(self, matchers: Sequence[Matcher]) -> npt.NDArray[np.int64]:
        found = [
            ref
            for ref, labels in enumerate(self._labels)
            if labels is not None and all(m.test(dict(labels).get(m.name, "")) for m in matchers)
        ]
        return np.array(found, np.int64)

    def labels(self, refs: npt.NDArray[np.int64]) -> list[Labels]:
        return [self._labels[ref] or () for ref in refs.tolist()]

    def kinds(self, refs: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        return np.array([self._kinds[ref] if ref < len(self._kinds) else 0 for ref in refs.tolist()], np.uint8)

    def label_names(self, refs: npt.NDArray[np.int64]) -> list[str]:
        return sorted({name for labels in self.labels(refs) for name, _ in labels})

    def label_values(self, name: str, refs: npt.NDArray[np.int64]) -> list[str]:
        return sorted({value for labels in self.labels(refs) for label, value in labels if label == name})

    def restore(self, refs: Sequence[int], kinds: Sequence[int], labels: Sequence[Labels]) -> None:
        for ref, kind, one in zip(refs, kinds, labels, strict=True):
            while len(self._labels) <= ref:
                self._labels.append(None)
                self._kinds.append(0)
            self._labels[ref], self._kinds[ref] = one, kind

    def remove(self, refs: npt.NDArray[np.int64]) -> None:
        for ref in refs.tolist():
            self._labels[ref] = None

    def close(self) -> None:
        pass


_KNOWN: dict[Path, PlainRegistry] = {}


def plain_registry(path: Path) -> PlainRegistry:
    return _KNOWN.setdefault(path, PlainRegistry())
