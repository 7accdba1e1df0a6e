"""The samples at hand under the names they have at the remote store, which may know the old alphabet only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from collector.storage.remote.names import old_label, old_labels, old_metric
from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.history import Block, Hints, History, Labels, Metadata, Selected


class SpelledHistory:
    """Implements `History` over another one: names and labels come with underscores, and are found by them."""

    def __init__(self, history: History) -> None:
        self._history = history

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """See `History`."""
        blocks: list[Block] = []
        parts = [self._history.select(asked, start, end, hints) for asked in self._asked(matchers, start, end)]
        for part in parts:
            for block in part.blocks:
                spelled = tuple(map(old_labels, block.labels))
                kept = [row for row, labels in enumerate(spelled) if _meets(labels, matchers)]
                if kept:
                    blocks.append(_rows(block, spelled, kept))
        if not parts:
            return Selected(())
        return Selected(
            tuple(blocks),
            max(part.resolution for part in parts),
            tuple(dict.fromkeys(words for part in parts for words in part.warnings)),
            tuple(dict.fromkeys(words for part in parts for words in part.infos)),
        )

    def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[Labels]:
        """See `History`."""
        found = {
            labels
            for asked in self._asked(matchers, start, end)
            for labels in map(old_labels, self._history.series(asked, start, end, limit))
            if _meets(labels, matchers)
        }
        return sorted(found)[: limit or None]

    def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        asked = self._asked(matchers, start, end)
        found = {old_label(name) for each in asked for name in self._history.label_names(each, start, end)}
        return sorted(found)[: limit or None]

    def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        found = set()
        for asked in self._asked(matchers, start, end):
            for own in self._own_names(name, start, end):
                found.update(self._history.label_values(own, asked, start, end))
        return sorted(map(old_metric, found) if name == NAME_TAG else found)[: limit or None]

    def metadata(self) -> dict[str, Metadata]:
        """See `History`."""
        return {old_metric(name): known for name, known in self._history.metadata().items()}

    def _asked(self, matchers: Sequence[Matcher], start: int, end: int) -> list[list[Matcher]]:
        """What to ask the history, which knows names as they came: sets of matchers that together find all that these do, and
        perhaps more. A pattern of names is tried on each name's spelling.
        """
        kept: list[Matcher] = []
        names: set[str] | None = None
        for matcher in matchers:
            if matcher.name == NAME_TAG:
                if matcher.op == "=" and matcher.value:
                    kept.append(matcher)  # found in its spelling with underscores too
                else:
                    known = self._history.label_values(NAME_TAG, (), start, end)
                    fitting = {name for name in known if matcher.test(old_metric(name))}
                    names = fitting if names is None else names & fitting
                continue
            own = self._own_names(matcher.name, start, end)
            if own == [matcher.name]:
                kept.append(matcher)
        if names is None:
            return [kept]
        return [[*kept, Matcher(NAME_TAG, "=", name)] for name in sorted(names)]

    def _own_names(self, name: str, start: int, end: int) -> list[str]:
        """Labels of the history that are spelled like this one."""
        if name == NAME_TAG:
            return [name]
        found = [own for own in self._history.label_names((), start, end) if old_label(own) == name]
        return found or [name]


def _meets(labels: Labels, matchers: Sequence[Matcher]) -> bool:
    held = dict(labels)
    return all(
        matcher.test(held.get(matcher.name, ""))
        or (matcher.name == NAME_TAG and matcher.op == "=" and old_metric(matcher.value) == held.get(NAME_TAG))
        for matcher in matchers
    )


def _rows(block: Block, labels: tuple[Labels, ...], kept: list[int]) -> Block:
    if len(kept) == len(labels):
        return replace(block, labels=labels)
    rows = np.array(kept)
    return Block(
        tuple(labels[row] for row in kept),
        block.times,
        block.values[rows],
        None if block.present is None else block.present[rows],
        None if block.histograms is None else block.histograms[rows],
        None if block.starts is None else block.starts[rows],
    )
