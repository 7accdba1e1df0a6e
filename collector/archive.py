"""The engine's fields beyond its hour, read from the history by the evaluator that answers every query."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from collector.shared_select import SharedSelect
from collector.storage.interning import KIND_LABEL, labels_of
from monitor.model.matchers import NAME_TAG, Matcher
from monitor.model.series import Kind, SeriesInfo
from monitor.query.context import Limits
from monitor.query.evaluator import Evaluator
from monitor.query.fields import factor_of, field_expr, matchers_of
from monitor.query.history import History, Labels, Matrix, QueryError
from monitor.windows.frame import History as Fields

ALONE = 8
"""So many series of one name are asked for one by one; of more, all of the name are, which reads them in one go."""
MAX_POINTS = 10_000


class HistoryArchive:
    """What the stream shows of the past (see `monitor.wire.source.Archive`). `since` and `seam` as there."""

    def __init__(self, history: History, limits: Limits, since: Callable[[], float], seam: Callable[[], float]) -> None:
        self._history = history
        self._limits = limits
        self._since = since
        self._seam = seam

    @property
    def since(self) -> float:
        """Time of the oldest data kept, seconds; infinity while there are none."""
        return self._since()

    @property
    def seam(self) -> float:
        """From this time on the engine was told everything."""
        return self._seam()

    def history(self, series: Sequence[SeriesInfo], field: str, window: float, start: float, end: float, step: float) -> Fields:
        """The field at the multiples of `step` in (start, end]. Over a step longer than the window, all of the step counts."""
        step = max(1.0, math.ceil(step), math.ceil((end - start) / MAX_POINTS))
        first, last = (math.floor(start / step) + 1) * step, math.floor(end / step) * step
        times = np.arange(first, last + step / 2, step)
        values = np.full((len(series), len(times)), np.nan)
        if len(times):
            shared = {
                kind: Evaluator(SharedSelect(self._history, {s.key.name for s in series if s.kind is kind}), self._limits)
                for kind in {info.kind for info in series}
            }
            for places in _groups(series):
                self._fill(shared[series[places[0]].kind], values, places, series, field, max(window, step), times)
        rows = np.array([info.row for info in series], np.int32)
        return Fields(rows, times, values, step, field, window)

    def _fill(
        self,
        evaluator: Evaluator,
        values: npt.NDArray[np.float64],
        places: list[int],
        series: Sequence[SeriesInfo],
        field: str,
        window: float,
        times: npt.NDArray[np.float64],
    ) -> None:
        sample = series[places[0]]
        matchers = matchers_of(sample.key) if len(places) == 1 else (Matcher(NAME_TAG, "=", sample.key.name),)
        expr = field_expr(sample.kind, field, matchers, round(window * 1000))
        if expr is None:
            return
        step = round((times[1] - times[0]) * 1000) if len(times) > 1 else 1000
        try:
            answer = evaluator.range(expr, round(times[0] * 1000), round(times[-1] * 1000), step)
        except QueryError as error:
            raise ValueError(str(error)) from None
        if answer.matrix is None:
            return
        wanted = {_bare(labels_of(series[place].key)): place for place in places}
        self._take(values, answer.matrix, wanted, times, factor_of(field))

    @staticmethod
    def _take(
        values: npt.NDArray[np.float64],
        matrix: Matrix,
        wanted: dict[Labels, int],
        times: npt.NDArray[np.float64],
        factor: float,
    ) -> None:
        at = np.searchsorted(times, matrix.times / 1000 - 0.0005)
        for found, labels in enumerate(matrix.labels):
            place = wanted.get(_bare(labels))
            if place is not None:
                values[place, at] = np.where(matrix.present[found], matrix.values[found] * factor, np.nan)


def _groups(series: Sequence[SeriesInfo]) -> list[list[int]]:
    """Places of series that one query answers: those of one name and kind where they are many, else each alone."""
    by_name: dict[tuple[str, Kind], list[int]] = {}
    for place, info in enumerate(series):
        by_name.setdefault((info.key.name, info.kind), []).append(place)
    groups: list[list[int]] = []
    for places in by_name.values():
        groups.extend([places] if len(places) > ALONE else [[place] for place in places])
    return groups


def _bare(labels: Labels) -> Labels:
    """The labels without the name, and without what tells two kinds of one name apart."""
    return tuple(pair for pair in labels if pair[0] not in (NAME_TAG, KIND_LABEL))
