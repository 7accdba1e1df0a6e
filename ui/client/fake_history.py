"""The history of a collector in memory: its scripts, read as PromQL reads a store, and the answers to `query` and `find`."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from monitor.model.batch import Floats
from monitor.model.matchers import NAME_TAG, Matcher, Selector, SelectorError, parse_selector, promql_name
from monitor.model.series import Kind, SeriesKey
from monitor.query.evaluator import Evaluator
from monitor.query.histogram import Layout, Stack
from monitor.query.history import Block, Cells, Hints, Labels, Metadata, Millis, QueryError, Selected
from monitor.wire import messages as m
from monitor.wire.answers import query_result, refusal
from ui.client.fake_engine import FakeEngine, Script

SCHEMA = 3
"""Of the histograms told: eight buckets an octave."""
PACE = 10
"""Seconds between two histograms of a distribution."""
MOST_SECONDS = 40_000
TYPES = {Kind.GAUGE: "gauge", Kind.COUNTER: "counter", Kind.DISTRIBUTION: "histogram", Kind.SET: "gauge"}
FAR = 4.0
"""Standard deviations of a distribution that its buckets reach."""


def labels_of(key: SeriesKey) -> Labels:
    """A series' labels, its name among them."""
    return tuple(sorted(((NAME_TAG, key.name), *key.tags)))


class FakeHistory:
    """Implements `History` over scripts: gauges as their readings, counters as running totals, distributions as cumulative native
    histograms. Nothing is stored.
    """

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    def _scripts(self, matchers: Sequence[Matcher]) -> Iterator[Script]:
        for script in self._engine.table.scripts.values():
            name, tags = script.info.key.name, dict(script.info.key.tags)
            if all(
                matcher.test(name) or matcher.test(promql_name(name))
                if matcher.name == NAME_TAG
                else matcher.test(tags.get(matcher.name, ""))
                for matcher in matchers
            ):
                yield script

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """See `History`."""
        end = min(end, int(self._engine.now * 1000))
        start = max(start, end - MOST_SECONDS * 1000)
        blocks = []
        for script in self._scripts(matchers):
            block = _block(script, start, end)
            if block is not None:
                blocks.append(block)
        return Selected(tuple(blocks))

    def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[Labels]:
        """See `History`."""
        found = sorted(labels_of(script.info.key) for script in self._scripts(matchers))
        return found[:limit] if limit else found

    def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        found = sorted({name for labels in self.series(matchers, start, end) for name, _ in labels})
        return found[:limit] if limit else found

    def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        found = sorted({value for labels in self.series(matchers, start, end) for label, value in labels if label == name})
        return found[:limit] if limit else found

    def metadata(self) -> dict[str, Metadata]:
        """See `History`."""
        infos = [script.info for script in self._engine.table.scripts.values()]
        return {info.key.name: Metadata(TYPES[info.kind], "", info.unit) for info in infos}


def _block(script: Script, start: int, end: int) -> Block | None:
    """The samples of one script in [start, end] milliseconds."""
    pace = PACE if script.info.kind is Kind.DISTRIBUTION else 1
    times = np.arange(-(-start // (1000 * pace)) * pace, end // 1000 + 1, pace, dtype=np.int64)
    if not len(times):
        return None
    values, counts, sums = script.known(times.astype(np.float64))
    kept = counts > 0 if script.info.kind is not Kind.DISTRIBUTION else np.cumsum(counts) > 0
    if not kept.any():
        return None
    times = times[kept] * 1000
    labels = (labels_of(script.info.key),)
    if script.info.kind is Kind.DISTRIBUTION:
        cells = _histograms(script, times)
        return Block(labels, times, np.zeros((1, len(times))), None, cells[np.newaxis])
    shown = sums if script.info.kind is Kind.COUNTER else values
    return Block(labels, times, shown[kept][np.newaxis])


def _histograms(script: Script, times: Millis) -> Cells:
    """Cumulative histograms at these times: of each second's lognormal, how much lies in each bucket."""
    first = math.floor(script.start)
    seconds = np.arange(first, int(times[-1]) // 1000 + 1, PACE, dtype=np.int64)
    values, counts, _ = script.known(seconds.astype(np.float64))
    known = (counts > 0) & np.isfinite(values) & (values > 0)
    if not known.any():
        return np.full(len(times), None, object)
    logs = np.log2(np.where(known, values, 1.0))
    wide = FAR * script.spread / math.log(2.0)
    low, high = float(logs[known].min()) - wide, float(logs[known].max()) + wide
    indices = np.arange(math.floor(low * 2**SCHEMA), math.ceil(high * 2**SCHEMA) + 1, dtype=np.int32)
    edges = np.concatenate(([indices[0] - 1], indices)) / 2**SCHEMA
    below = _normal((edges[np.newaxis] - logs[:, np.newaxis]) * math.log(2.0) / max(script.spread, 1e-6))
    shares = np.diff(below, axis=1)
    parts = shares / np.maximum(shares.sum(1, keepdims=True), 1e-300) * np.where(known, counts * PACE, 0.0)[:, np.newaxis]
    totals = np.cumsum(parts, 0)
    middles = np.exp2(edges[1:] - 0.5 / 2**SCHEMA)
    at = np.clip(seconds.searchsorted(times // 1000, "right") - 1, 0, len(seconds) - 1)
    chosen = totals[at]
    layout = Layout(SCHEMA, 0.0, positive=indices)
    columns = np.concatenate((np.zeros((len(at), 1)), chosen), axis=1)
    stack = Stack(layout, columns, columns.sum(1), chosen @ middles, np.zeros(len(at), np.int8))
    return stack.cells()


@functools.lru_cache(maxsize=1)
def _grid() -> tuple[Floats, Floats]:
    x = np.linspace(-8.0, 8.0, 4001)
    density = np.exp(-0.5 * x**2)
    area = np.cumsum(density)
    return x, area / area[-1]


def _normal(x: Floats) -> Floats:
    """The normal distribution's share below x."""
    result: Floats = np.interp(x, *_grid())
    return result


# ---------------------------------------------------------------- answers


def answer_query(engine: FakeEngine, request: m.Query) -> m.QueryResult | m.Reply:
    """What a collector answers to `query`."""
    evaluator = Evaluator(FakeHistory(engine))
    end = round(request.end * 1000)
    try:
        if request.step > 0:
            answer = evaluator.range(request.expr, round(request.start * 1000), end, round(request.step * 1000))
        else:
            answer = evaluator.instant(request.expr, end)
        return query_result(request, answer)
    except QueryError as error:
        text, result = refusal(error)
        return m.Reply(request.id, text, result)


def answer_find(engine: FakeEngine, request: m.Find) -> m.Reply:
    """What a collector answers to `find`."""
    history = FakeHistory(engine)
    try:
        matchers = Selector() if request.selector in ("", "{}") else parse_selector(request.selector)
    except SelectorError as error:
        return m.Reply(request.id, str(error))
    found = matchers.matchers
    if request.what == "metrics":
        known = history.metadata()
        names = history.label_values(NAME_TAG, found, 0, 0)
        details = {name: ", ".join(filter(None, (known[name].type, known[name].unit))) for name in names}
    elif request.what == "labels":
        names, details = [n for n in history.label_names(found, 0, 0) if n != NAME_TAG], {}
    elif request.what == "values":
        names, details = history.label_values(request.label, found, 0, 0), {}
    else:
        return m.Reply(request.id, f"there is nothing called {request.what!r} to find; ask for metrics, labels or values")
    text = request.text.lower()
    kept = [n for n in names if text in n.lower() or text in promql_name(n).lower()]
    kept.sort(key=lambda n: (not n.lower().startswith(text), n))
    rows = [{"name": n, "detail": details.get(n, "")} for n in kept[: request.limit]]
    return m.Reply(request.id, "", {"found": rows, "more": len(kept) > request.limit})
