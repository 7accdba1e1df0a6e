"""What a target's series are called here: its tags added, relabelled, within the limits. Done once for each new series."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from collector.receivers.prometheus.counters import ScrapeCounters
from collector.receivers.prometheus.dictionary import ParsedSeries
from collector.receivers.prometheus.limits import LimitError
from collector.receivers.prometheus.line import Labels
from collector.receivers.prometheus.relabel import relabelled
from collector.receivers.prometheus.target import Policy
from monitor.model.batch import Ids
from monitor.model.matchers import NAME_TAG
from monitor.model.series import KeySpace, Kind, SeriesKey, TooLongError, series_key

LEFT_OUT, OVER_LIMIT = -1, -2


class SeriesNames:
    """`ids` int32[n] of the n series of a parser: their ids in `space`, -1: left out, -2: over a limit of the job."""

    def __init__(self, tags: Mapping[str, str], honor_labels: bool, policy: Policy, counters: ScrapeCounters) -> None:
        self.space = KeySpace(raw=True)
        self.ids: Ids = np.empty(0, np.int32)
        self._tags = dict(tags)
        self._honor_labels = honor_labels
        self._policy = policy
        self._counters = counters
        self._by_key: dict[SeriesKey, int] = {}
        self._over = ""

    def learn(self, series: list[ParsedSeries]) -> None:
        """Name what came new to the parser's list."""
        new = [self._id_of(parsed) for parsed in series[len(self.ids) :]]
        if new:
            self.ids = np.concatenate((self.ids, np.array(new, np.int32)))

    def of(self, source: Ids) -> Ids:
        """The ids of the parser's ids. Raises `LimitError` where one of them is over a limit."""
        ids = self.ids[source]
        if bool((ids == OVER_LIMIT).any()):
            raise LimitError(self._over)
        return ids

    def distribution(self, parsed: ParsedSeries) -> int:
        """The id of a histogram's distribution; -1 where its name is left out or something else has it."""
        before = len(self.space)
        series_id = self._id_of(parsed)
        return series_id if series_id >= before else LEFT_OUT

    def _id_of(self, parsed: ParsedSeries) -> int:
        if parsed.kind is None:
            return LEFT_OUT
        labels = self._tagged(parsed.labels)
        name = parsed.name
        if self._policy.metric_relabel:
            kept = relabelled({NAME_TAG: name, **labels}, self._policy.metric_relabel)
            name = kept.pop(NAME_TAG, "") if kept is not None else ""
            if kept is None or not name:
                self._counters.dropped += 1
                return LEFT_OUT
            labels = kept
        try:
            self._policy.limits.check(name, labels)
            key = series_key(name, labels.items())
        except LimitError as error:
            self._over = str(error)
            return OVER_LIMIT
        except TooLongError:
            self._counters.oversized += 1
            return LEFT_OUT
        known = self._by_key.get(key)
        if known is None:
            known = self._by_key[key] = self.space.add(key, parsed.kind, parsed.unit)
        elif (self.space.kinds[known] is Kind.DISTRIBUTION) != (parsed.kind is Kind.DISTRIBUTION):
            return LEFT_OUT
        return known

    def _tagged(self, labels: Labels) -> dict[str, str]:
        if self._honor_labels:
            return self._tags | dict(labels)
        own = dict(self._tags)
        for name, value in labels:
            while name in own:
                name = f"exported_{name}"
            own[name] = value
        return own
