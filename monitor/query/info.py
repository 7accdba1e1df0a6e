"""info(): labels of info series (`target_info`, `build_info`) added to the series of the same job and instance.

Source: Prometheus, promql/info.go.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import MAX_PATTERN, NAME_TAG, Matcher
from monitor.query.ast import Call, Expr, Selector, Subquery
from monitor.query.context import Frame, Run
from monitor.query.history import Labels, Mask, QueryError
from monitor.query.labelsets import keeping, name_of, show, value_of, with_labels
from monitor.query.selectors import instant
from monitor.query.tree import children
from monitor.query.vectors import Vector, broadcast, empty, merged, stacked

_IDENTIFYING = ("instance", "job")
_TARGET_INFO = Matcher(NAME_TAG, "=", "target_info")
_ANY_INFO = Matcher(NAME_TAG, "=~", ".+_info")
Rows = npt.NDArray[np.int64]


def info(run: Run, call: Call, frame: Frame) -> Vector:
    """The first argument's series with the labels of the info series that go with them at each time."""
    base = run.vector(call.args[0], frame)
    asked = call.args[1].matchers if len(call.args) > 1 and isinstance(call.args[1], Selector) else ()
    names, data = _by_kind(asked)
    enriched = [not all(matcher.test(name_of(labels)) for matcher in names) for labels in base.labels]
    found = _info_series(run, call.args[0], base, enriched, names, data, frame)
    by_signature: dict[Labels, dict[str, list[int]]] = {}
    for row, labels in enumerate(found[0].labels):
        by_signature.setdefault(keeping(labels, _IDENTIFYING), {}).setdefault(name_of(labels), []).append(row)
    parts: list[Vector] = []
    for row, wanted in enumerate(enriched):
        series = base.take(slice(row, row + 1))
        if not wanted:
            parts.append(series)
            continue
        candidates = by_signature.get(keeping(base.labels[row], _IDENTIFYING), {})
        parts += _enriched(series, list(candidates.values()), *found, data)
    return merged(stacked(parts, len(frame)).populated())


def _by_kind(asked: tuple[Matcher, ...]) -> tuple[list[Matcher], list[Matcher]]:
    """Matchers of the info metrics' names, and of the labels they are to give."""
    names = [matcher for matcher in asked if matcher.name == NAME_TAG]
    if not names:
        names = [_TARGET_INFO]
    elif not any(matcher.op in ("=", "=~") for matcher in names):
        names = [_ANY_INFO, *names]
    return names, [matcher for matcher in asked if matcher.name != NAME_TAG]


def _info_series(
    run: Run, expr: Expr, base: Vector, enriched: list[bool], names: list[Matcher], data: list[Matcher], frame: Frame
) -> tuple[Vector, Vector]:
    """Info series at the times the first argument looks at, and the times of their samples."""
    matchers = list(names) + data
    identified = False
    for label in _IDENTIFYING:
        values = {value_of(labels, label) for labels, wanted in zip(base.labels, enriched, strict=True) if wanted} - {""}
        pattern = "|".join(re.escape(value) for value in sorted(values))
        identified = identified or bool(values)
        if values and len(pattern) <= MAX_PATTERN:
            matchers.append(Matcher(label, "=~", pattern))
    nothing = empty(len(frame))
    if not identified:
        return nothing, nothing
    looked_at = _looked_at(expr, frame)
    selector = Selector(tuple(matchers))
    found = instant(run, selector, looked_at, "info")
    if found.cells is not None and found.histograms().any():
        row = int(np.flatnonzero(found.histograms().any(axis=1))[0])
        raise QueryError(f"this should be an info metric, with float samples: {show(found.labels[row])}")
    stamps = instant(run, selector, looked_at, "info", stamps="taken")
    if len(looked_at) < len(frame):
        return broadcast(found, len(frame)), broadcast(stamps, len(frame))
    return found, stamps


def _looked_at(expr: Expr, frame: Frame) -> Frame:
    """The times the first selector in an expression looks at, `@` and offsets on the way to it included."""
    for node in _path(expr):
        if node.at is not None and node.at.time is not None:
            frame = Frame(np.array([node.at.time], np.int64))
        frame = Frame(frame.times - node.offset, frame.step)
    return frame


def _path(expr: Expr) -> list[Selector | Subquery]:
    if isinstance(expr, Selector):
        return [expr]
    for child in children(expr):
        found = _path(child)
        if found:
            return [expr, *found] if isinstance(expr, Subquery) else found
    return []


def _enriched(series: Vector, candidates: list[list[int]], found: Vector, stamps: Vector, data: list[Matcher]) -> list[Vector]:
    """A series under each set of labels it gets; dropped where info is asked for that there is not."""
    times = series.shape[1]
    chosen = np.array([_newest(rows, found, stamps, series.present[0]) for rows in candidates]).reshape(len(candidates), times)
    optional = all(matcher.test("") for matcher in data)
    wanted = frozenset(matcher.name for matcher in data)
    parts = []
    for choice in np.unique(chosen, axis=1).T.tolist() if len(candidates) else [[]]:
        rows = [row for row in choice if row >= 0]
        if not rows and not optional:
            continue
        here: Mask = (chosen == np.array(choice, np.int64).reshape(-1, 1)).all(axis=0)
        labels = _with_info(series.labels[0], [found.labels[row] for row in rows], wanted)
        parts.append(series.where(series.present & here).renamed((labels,)))
    return parts


def _newest(rows: list[int], found: Vector, stamps: Vector, needed: Mask) -> Rows:
    """The row with the newest sample at each time, -1 where there is none."""
    taken = np.where(found.present[rows], stamps.values[rows], -np.inf)
    best = taken.argmax(axis=0)
    newest = taken.max(axis=0)
    tied = ((taken == newest) & found.present[rows]).sum(axis=0) > 1
    if (tied & needed).any():
        time = int(np.flatnonzero(tied & needed)[0])
        first, second = np.flatnonzero(taken[:, time] == newest[time]).tolist()[:2]
        stamp = round(float(newest[time]) * 1000)
        raise QueryError(
            f"found duplicate series for info metric: existing {show(found.labels[rows[first]])} @ {stamp}, "
            f"new {show(found.labels[rows[second]])} @ {stamp}"
        )
    chosen: Rows = np.where(np.isneginf(newest), -1, np.array(rows)[best])
    return chosen


def _with_info(base: Labels, infos: list[Labels], wanted: frozenset[str]) -> Labels:
    own = {name for name, _ in base}
    added: dict[str, str] = {}
    for labels in infos:
        for name, value in labels:
            if name == NAME_TAG or (wanted and name not in wanted):
                continue
            if added.get(name, value) != value:
                raise QueryError(f"conflicting label: {name}")
            if name not in own:
                added[name] = value
    return with_labels(base, added)
