"""Steps over the series of all receivers: done once to each new series, so that a sample costs a look into an array."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from monitor.model.batch import Batch, Floats, HistogramBatch, Ids
from monitor.model.series import KeySpace, Kind, SeriesKey, TooLongError, series_key
from monitor.model.table import grown
from monitor.pipeline.pii import PiiFilter
from monitor.pipeline.steps import Step
from monitor.pipeline.thinning import at, thin

DROPPED = -1


@dataclass(slots=True, eq=False)
class _Mapped:
    """What became of a receiver's key space."""

    target: KeySpace
    ids: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    done: int = 0
    drops: bool = False
    known: dict[tuple[SeriesKey, Kind], int] = field(default_factory=dict)
    shares: Floats = field(default_factory=lambda: np.empty(0))
    """Of each of the receiver's series, the part of its samples that is taken."""
    thins: bool = False


class Processors:
    """Steps in their order, then the filter for personal data over names and tags.

    One key space is to be given by one thread at a time. Series that become equal become one: increments and observations
    add up, of gauges the last reading stands. Without steps and filter everything comes back as it is. `random` is for steps that
    thin (`monitor.pipeline.thinning`).
    """

    def __init__(
        self, steps: Sequence[Step] = (), pii: PiiFilter | None = None, random: np.random.Generator | None = None
    ) -> None:
        self._steps = tuple(steps)
        self._pii = pii if pii is not None and pii.active else None
        self._random = random
        self._idle = not self._steps and self._pii is None
        self._spaces: weakref.WeakKeyDictionary[KeySpace, _Mapped] = weakref.WeakKeyDictionary()
        self.dropped_series = 0
        self.dropped_samples = 0
        self.too_long = 0
        """Series left out because a step made a name or tag longer, or the tags more, than a series may have."""
        self.thinned = 0
        """Samples that others stand for."""

    def space(self, space: KeySpace) -> Ids:
        """int32, as long as the space is now: ids in `target(space)`, -1 where the series is dropped."""
        if self._idle:
            return np.arange(len(space), dtype=np.int32)
        mapped = self._mapped(space)
        return mapped.ids[: mapped.done]

    def target(self, space: KeySpace) -> KeySpace:
        """The key space that a receiver's series go to."""
        return space if self._idle else self._mapped(space).target

    def _dice(self) -> np.random.Generator:
        """Made when first thrown: numpy's dice are 2 MB."""
        if self._random is None:
            self._random = np.random.default_rng()
        return self._random

    def batch(self, batch: Batch) -> Batch | None:
        """The samples as their processed series; None where all of them are dropped."""
        if self._idle:
            return batch
        mapped = self._mapped(batch.space)
        if mapped.thins:
            before = len(batch)
            batch = thin(batch, mapped.shares[batch.ids], self._dice())
            self.thinned += before - len(batch)
        ids: Ids = mapped.ids[batch.ids]
        if mapped.drops and len(ids) and not (stays := ids >= 0).all():
            self.dropped_samples += int(len(ids) - np.count_nonzero(stays))
            if not stays.any():
                return None
            return at(replace(batch, space=mapped.target, ids=ids), stays)
        return replace(batch, space=mapped.target, ids=ids)

    def histograms(self, batch: HistogramBatch) -> HistogramBatch | None:
        """As `batch`, of histograms."""
        if self._idle:
            return batch
        mapped = self._mapped(batch.space)
        ids: Ids = mapped.ids[batch.ids]
        if not mapped.drops or (stays := ids >= 0).all():
            return replace(batch, space=mapped.target, ids=ids)
        self.dropped_samples += int(len(ids) - np.count_nonzero(stays))
        if not stays.any():
            return None
        lengths = np.diff(batch.offsets)
        inside = np.repeat(stays, lengths)
        offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths[stays], dtype=np.int64)))
        return HistogramBatch(
            mapped.target, ids[stays], batch.times[stays], offsets, batch.bins[inside], batch.counts[inside], batch.sums[stays]
        )

    def batches(self, batches: Sequence[Batch | HistogramBatch]) -> Sequence[Batch | HistogramBatch]:
        """What is left of all of them, as a receiver hands them on."""
        if self._idle:
            return batches
        done = (self.batch(each) if isinstance(each, Batch) else self.histograms(each) for each in batches)
        return [each for each in done if each is not None]

    def figures(self) -> dict[str, float]:
        """Counters by name."""
        found = {} if self._pii is None else {f"pii_{kind}_total": float(count) for kind, count in self._pii.counts.items()}
        return {
            "processors_dropped_series_total": float(self.dropped_series),
            "processors_dropped_samples_total": float(self.dropped_samples),
            "processors_thinned_samples_total": float(self.thinned),
            "processors_too_long_total": float(self.too_long),
            **found,
        }

    def notes(self) -> list[str]:
        """What is wrong, for people."""
        if not self.too_long:
            return []
        return [f"{self.too_long} series were left out: a processing step made a tag too long or their tags too many"]

    def _mapped(self, space: KeySpace) -> _Mapped:
        mapped = self._spaces.get(space)
        if mapped is None:
            mapped = self._spaces[space] = _Mapped(KeySpace(space.raw))
        size = len(space)
        if mapped.done < size:
            if len(mapped.ids) < size:
                mapped.ids = grown(mapped.ids, size, DROPPED)
                mapped.shares = grown(mapped.shares, size, 1.0)
            for number in range(mapped.done, size):
                mapped.ids[number] = self._added(mapped, space, number)
            mapped.done = size
        return mapped

    def _added(self, mapped: _Mapped, space: KeySpace, number: int) -> int:
        kind = space.kinds[number]
        try:
            key, mapped.shares[number] = self._processed(space.keys[number])
        except TooLongError:
            self.too_long += 1
            key = None
        mapped.thins = mapped.thins or bool(mapped.shares[number] < 1.0)
        if key is None:
            self.dropped_series += 1
            mapped.drops = True
            return DROPPED
        known = mapped.known.get((key, kind))
        if known is None:
            known = mapped.target.add(key, kind, space.units[number], space.passing[number])
            mapped.known[key, kind] = known
        return known

    def _processed(self, key: SeriesKey) -> tuple[SeriesKey | None, float]:
        """What it becomes, None where it goes, and the share of its samples that is taken."""
        tags, share = dict(key.tags), 1.0
        for step in self._steps:
            if step.action == "thin":
                share *= step.share if step.selects(key.name, tags) else 1.0
            elif not step.applied(key.name, tags):
                return None, 1.0
        name: str | None = key.name
        if self._pii is not None:
            name = self._pii.kept(key.name)
            cleaned = {tag: self._pii.value(tag, value) for tag, value in tags.items()}
            tags = {tag: value for tag, value in cleaned.items() if value is not None}
        return (series_key(name, tags.items()) if name else None), share
