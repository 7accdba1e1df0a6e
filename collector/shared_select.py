"""One reading of a history for many questions about different series over the same stretch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import re2

from monitor.model.matchers import MAX_PATTERN, NAME_TAG, Matcher
from monitor.query.history import Block, Hints, History, Labels, Mask, Metadata, Selected

Asked = tuple[int, int, Hints]


class SharedSelect:
    """A `History` that reads all series of these names at the first `select` and answers the next like it from that.

    What is asked otherwise, of other names or another stretch, goes to the history itself.
    """

    def __init__(self, history: History, names: Iterable[str]) -> None:
        self._history = history
        self._names = frozenset(names)
        self._pattern = "|".join(re2.escape(name) for name in sorted(self._names))
        self._asked: Asked | None = None
        self._found = Selected(())
        self._places: dict[str, list[tuple[Block, int]]] = {}

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """See `History`."""
        name = next((m.value for m in matchers if m.name == NAME_TAG and m.op == "="), "")
        if len(self._names) < 2 or len(self._pattern) > MAX_PATTERN or name not in self._names:
            return self._history.select(matchers, start, end, hints)
        if self._asked is None:
            self._read((start, end, hints))
        if self._asked != (start, end, hints):
            return self._history.select(matchers, start, end, hints)
        return replace(self._found, blocks=self._blocks(name, [m for m in matchers if m.name != NAME_TAG]))

    def _read(self, asked: Asked) -> None:
        self._asked = asked
        self._found = self._history.select((Matcher(NAME_TAG, "=~", self._pattern),), *asked)
        for block in self._found.blocks:
            for place, labels in enumerate(block.labels):
                self._places.setdefault(dict(labels).get(NAME_TAG, ""), []).append((block, place))

    def _blocks(self, name: str, matchers: Sequence[Matcher]) -> tuple[Block, ...]:
        """What was read of the series of one name that meet these, those that share their times in one block still."""
        rows: dict[int, tuple[Block, list[int]]] = {}
        for block, place in self._places.get(name, ()):
            tags = dict(block.labels[place])
            if all(matcher.test(tags.get(matcher.name, "")) for matcher in matchers):
                rows.setdefault(id(block), (block, []))[1].append(place)
        return tuple(_part(block, places) for block, places in rows.values())

    def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[Labels]:
        """See `History`."""
        return self._history.series(matchers, start, end, limit)

    def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        return self._history.label_names(matchers, start, end, limit)

    def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        return self._history.label_values(name, matchers, start, end, limit)

    def metadata(self) -> dict[str, Metadata]:
        """See `History`."""
        return self._history.metadata()


def _part(block: Block, places: list[int]) -> Block:
    """Some series of a block, at the times at which any of them has a sample."""
    some: Mask = np.ones(len(block.times), np.bool_)
    if block.present is not None:
        some = np.logical_or.reduce(block.present[places], axis=0)
    present = None if block.present is None else block.present[places][:, some]
    return Block(
        tuple(block.labels[place] for place in places),
        block.times[some],
        block.values[places][:, some],
        None if present is None or bool(present.all()) else present,
        None if block.histograms is None else block.histograms[places][:, some],
        None if block.starts is None else block.starts[places][:, some],
    )
