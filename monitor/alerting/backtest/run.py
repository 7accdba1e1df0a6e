"""A rule over a stretch of the past, in pieces that bound the memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from monitor.alerting.backtest.grouped import aggregated, groups_of, holding_value
from monitor.alerting.backtest.life import Life
from monitor.alerting.backtest.outcome import Backtest, told
from monitor.alerting.backtest.past import IDLE, Past, Stretch, gone_in
from monitor.alerting.conditions import (
    AbsenceCondition,
    CompositeCondition,
    PredictiveCondition,
    QueryCondition,
    RateCondition,
    ScoreCondition,
)
from monitor.alerting.fingerprint import alert_labels
from monitor.alerting.forecast import fit
from monitor.alerting.judge import FORECAST_POINTS
from monitor.alerting.model import Rule
from monitor.alerting.truth import read_expression
from monitor.model.matchers import NAME_TAG
from monitor.model.series import SeriesKey
from monitor.query.context import Limits
from monitor.query.evaluator import Evaluator
from monitor.query.history import History, Labels

POINTS = 20_200
"""So many judgements of a series at most."""
CELLS = 2_000_000
"""Values held at a time."""
_FORECASTS = 2_000
_Bools = npt.NDArray[np.bool_]
_Piece = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], _Bools]


class BacktestError(ValueError):
    """A rule that cannot be judged over the past; the message says why."""


def backtest(
    rule: Rule,
    history: History,
    start: float,
    end: float,
    step: float = 0.0,
    others: Mapping[str, Rule] | None = None,
    check: Callable[[], None] = lambda: None,
    progress: Callable[[float], None] = lambda _: None,
) -> Backtest:
    """The rule over [start, end] (seconds). `step` 0: as fine as the bounds allow. `others`: rules that a composite one names.

    `check` is called between operations and ends it by raising; `progress` is told what share is done. Raises `BacktestError`,
    and `QueryError` of what is asked of the history.
    """
    if not start < end:
        raise BacktestError("the end must be after the start")
    step = _step(rule, end - start, step)
    return _Run(history, start, end, step, others or {}, check, progress).whole(rule)


def _step(rule: Rule, span: float, wanted: float) -> float:
    finest = 1.0
    most = POINTS
    if isinstance(rule.condition, QueryCondition):
        finest = rule.condition.every
    elif isinstance(rule.condition, PredictiveCondition):
        finest, most = max(1.0, rule.condition.window / FORECAST_POINTS), _FORECASTS
    least = max(finest, wanted, span / most)
    return least if least <= finest else float(next((nice for nice in _NICE if nice >= least), math.ceil(least / 3600) * 3600))


_NICE = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


class _Run:
    def __init__(
        self,
        history: History,
        start: float,
        end: float,
        step: float,
        others: Mapping[str, Rule],
        check: Callable[[], None],
        progress: Callable[[float], None],
    ) -> None:
        self._history = history
        self._evaluator = Evaluator(history, Limits(max_points=POINTS + 1))
        self._start = math.ceil(start / step) * step
        self._end = math.floor(end / step) * step
        self._step = step
        self._others = others
        self._check = check
        self._progress = progress
        self._notes: list[str] = []

    def whole(self, rule: Rule) -> Backtest:
        life, keys = self.live(rule)
        notes = [f"Judged every {self._step:g} s; what comes and goes between two judgements is not seen.", *self._notes]

        def labels(place: int) -> Labels:
            return tuple(alert_labels(rule, keys[place]))

        return told(life, (self._start, self._end, self._step), len(keys), labels, notes)

    def live(
        self, rule: Rule, watch: Callable[[Life, npt.NDArray[np.float64]], None] | None = None
    ) -> tuple[Life, list[SeriesKey]]:
        """The life of the rule's alerts, and the series of its places. `watch` sees it after each judgement."""
        life, keys = Life(rule), list[SeriesKey]()
        for times, values, gone in self._pieces(rule, keys):
            self._check()
            if watch is None:
                life.steps(times, values, gone)
            else:
                for column in range(len(times)):
                    life.steps(times[column : column + 1], values[:, column : column + 1], gone[:, column : column + 1])
                    watch(life, times[column])
            self._progress((times[-1] - self._start) / max(self._step, self._end - self._start))
        return life, keys

    def _spans(self, series: int) -> Iterator[tuple[float, float]]:
        """First and last judgement of each piece."""
        columns = max(1, min(10_000, CELLS // max(1, series)))
        first = self._start
        while first <= self._end:
            last = min(self._end, first + (columns - 1) * self._step)
            yield first, last
            first = last + self._step

    def _pieces(self, rule: Rule, keys: list[SeriesKey]) -> Iterator[_Piece]:
        condition = rule.condition
        if isinstance(condition, ScoreCondition):
            raise BacktestError("a rule on a detector's score cannot be tried on the past: scores are not kept")
        if isinstance(condition, QueryCondition):
            yield from self._queried(condition, keys)
        elif isinstance(condition, CompositeCondition):
            yield from self._composed(condition, keys)
        else:
            past = Past(self._history, self._evaluator, rule.selector, self._start - IDLE, self._end, self._check)
            self._notes += past.notes
            yield from self._read(rule, past, keys)
            if past.resolution > self._step:
                self._notes.append(f"A part of this time is kept only every {past.resolution:g} s.")

    def _read(self, rule: Rule, past: Past, keys: list[SeriesKey]) -> Iterator[_Piece]:
        if isinstance(rule.condition, AbsenceCondition):
            yield from self._absent(rule.condition, rule, past, keys)
            return
        seen = np.full(len(past.keys), -np.inf)
        groups = None if rule.group_by is None else groups_of(rule.group_by, past, keys)
        if groups is None:
            keys += past.keys
        for first, last in self._spans(len(past.keys)):
            stretch = self._judged(rule, past, first, last)
            gone = gone_in(stretch.values, stretch.times, seen)
            values = stretch.values
            if groups is not None:
                values, gone = aggregated(rule, values, gone, groups, len(keys))
            yield stretch.times, values, gone

    def _judged(self, rule: Rule, past: Past, first: float, last: float) -> Stretch:
        condition, step = rule.condition, self._step
        if isinstance(condition, PredictiveCondition):
            return self._forecast(condition, past, first, last)
        now = past.stretch(condition.field, condition.window, first, last, step)
        if not isinstance(condition, RateCondition):
            return now
        back = condition.against
        earlier = past.stretch(condition.field, condition.window, first - back, last - back, step).values
        change = now.values - earlier
        if condition.unit == "percent":
            with np.errstate(divide="ignore", invalid="ignore"):
                percent = np.where(change == 0, 0.0, 100.0 * change / np.abs(earlier))
            change = np.where(np.isnan(change), np.nan, percent)
        return Stretch(now.times, change)

    def _forecast(self, condition: PredictiveCondition, past: Past, first: float, last: float) -> Stretch:
        fine = max(1.0, condition.window / FORECAST_POINTS)
        times = np.arange(first, last + self._step / 2, self._step)
        values = np.full((len(past.keys), len(times)), np.nan)
        rising = condition.operator in ("gt", "gte")
        for column, now in enumerate(times.tolist()):
            self._check()
            before = past.stretch(condition.field, fine, now - condition.window + fine, now, fine)
            lines = fit(before.times - now, before.values)
            margin = lines.margin(condition.horizon, condition.confidence)
            values[:, column] = lines.at(condition.horizon) + (-margin if rising else margin)
        return Stretch(times, values)

    def _absent(self, condition: AbsenceCondition, rule: Rule, past: Past, keys: list[SeriesKey]) -> Iterator[_Piece]:
        """Seconds since the last sample; of what the selector names with certainty and never came, since the start."""
        keys += past.keys
        named = {m.name: m.value for m in rule.selector.matchers if m.op == "=" and m.value}
        name = named.pop(NAME_TAG, "")
        never = (name or named) and not past.keys
        if never:
            keys.append(SeriesKey(name, tuple(sorted(named.items()))))
        seen = np.full(len(past.keys), -np.inf)
        for first, last in self._spans(len(keys)):
            counted = past.counted(self._step, first, last, self._step)
            at = np.where(np.isnan(counted.values), -np.inf, counted.times)
            at[:, :1] = np.maximum(at[:, :1], seen[:, None])
            latest = np.maximum.accumulate(at, axis=1) if len(at) else at
            seen = latest[:, -1] if len(at) else seen
            known = np.isfinite(latest)
            values = np.where(known, counted.times - np.where(known, latest, 0.0), np.nan)
            gone = ~known | (values > condition.keep)
            if never:
                values = (counted.times - self._start)[None, :]
                gone = np.zeros_like(values, np.bool_)
            yield counted.times, values, gone

    def _queried(self, condition: QueryCondition, keys: list[SeriesKey]) -> Iterator[_Piece]:
        """Each series of the answer is an alert, whatever its value."""
        places: dict[Labels, int] = {}
        for first, last in self._spans(1000):
            answer = self._evaluator.range(
                condition.expression, round(first * 1000), round(last * 1000), round(self._step * 1000), self._check
            )
            times = np.arange(first, last + self._step / 2, self._step)
            matrix = answer.matrix
            found = () if matrix is None else matrix.labels
            for labels in found:
                bare = tuple(pair for pair in labels if pair[0] != NAME_TAG)
                if bare not in places:
                    places[bare] = len(keys)
                    keys.append(SeriesKey("", bare))
            held = np.zeros((len(keys), len(times)), np.bool_)
            if matrix is not None:
                at = np.searchsorted(times, matrix.times / 1000 - 0.0005)
                for row, labels in enumerate(found):
                    held[places[tuple(pair for pair in labels if pair[0] != NAME_TAG)], at] |= matrix.present[row]
            yield times, np.where(held, holding_value(condition), np.nan), ~held

    def _composed(self, condition: CompositeCondition, keys: list[SeriesKey]) -> Iterator[_Piece]:
        """What the expression says of the other rules' alerts, by the values of the labels `by`."""
        node = read_expression(condition.expression)
        names = tuple(dict.fromkeys(node.rules()))
        groups: dict[Labels, int] = {} if condition.by else {(): 0}
        states: dict[str, dict[int, _Bools]] = {}
        times = np.arange(self._start, self._end + self._step / 2, self._step)
        for name in names:
            other = self._others.get(name)
            if other is None or isinstance(other.condition, CompositeCondition):
                raise BacktestError(f"the rule {name!r} of the expression is not there, or is composite itself")
            life, others = self.live(other)
            held: dict[int, _Bools] = {}
            for place, begin, until in [*life.firings, *((place, begin, math.inf) for place, begin in life.still())]:
                labels = dict(alert_labels(other, others[place]))
                group = tuple(sorted((label, labels[label]) for label in condition.by if label in labels))
                firing = held.setdefault(groups.setdefault(group, len(groups)), np.zeros(len(times), np.bool_))
                firing |= (times >= begin) & (times < until)
            states[name] = held
        keys += [SeriesKey("", group) for group in groups]
        nothing = np.zeros(len(times), np.bool_)
        values = np.zeros((len(groups), len(times)))
        for place in range(len(groups)):
            table = np.stack([states[name].get(place, nothing) for name in names])
            kinds, which = np.unique(table, axis=1, return_inverse=True)
            said = [node.judge(dict(zip(names, map(bool, column), strict=True)).__getitem__) for column in kinds.T]
            values[place] = np.array([np.nan if truth is None else float(truth) for truth in said])[which.reshape(-1)]
        yield times, values, np.zeros_like(values, np.bool_)
