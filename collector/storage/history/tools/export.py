"""Writes samples out: CSV for people, Parquet for analysis, OpenMetrics for other stores. Streaming; memory does not grow."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from collector.storage.history.store import HistoryStore
from collector.storage.history.tools.folder import ToolError
from collector.storage.history.tools.read import series_blocks
from monitor.model.matchers import NAME_TAG, Matcher, promql_name
from monitor.model.series import Kind
from monitor.query.histogram import Histogram
from monitor.query.history import Block, Labels, stale_at

FORMATS = ("csv", "openmetrics", "parquet")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_MOST_COLUMNS = 500
_OPENMETRICS_TYPES = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.SET: "gauge", Kind.DISTRIBUTION: "histogram"}
Progress = Callable[[int, int], None]
"""Told series and samples written so far."""

Sample = tuple[int, float, Histogram | None]


def export(
    store: HistoryStore, matchers: Sequence[Matcher], start: int, end: int, form: str, out: IO[bytes], progress: Progress
) -> int:
    """Writes the samples in [start, end] (ms) of those series to `out` (binary); how many. Staleness markers are left out.

    Raises `ToolError`.
    """
    counted = _Counted(series_blocks(store, matchers, start, end), progress)
    if form == "csv":
        _csv(counted, store, matchers, start, end, out)
    elif form == "openmetrics":
        _openmetrics(counted, store, out)
    else:
        _parquet(counted, out)
    return counted.samples


class _Counted:
    """Blocks on their way through, without their staleness markers."""

    def __init__(self, blocks: Iterator[tuple[Labels, Block]], progress: Progress) -> None:
        self._blocks, self._progress = blocks, progress
        self.samples = self.series = 0

    def __iter__(self) -> Iterator[tuple[Labels, Block]]:
        before: Labels = ()
        for labels, block in self._blocks:
            real = ~stale_at(block.values[0])
            if block.histograms is not None:
                real |= np.array([cell is not None for cell in block.histograms[0]])
            if not real.any():
                continue
            if not real.all():
                cells = block.histograms[:, real] if block.histograms is not None else None
                block = Block(block.labels, block.times[real], block.values[:, real], None, cells)
            self.samples += len(block.times)
            self.series += labels != before
            before = labels
            self._progress(self.series, self.samples)
            yield labels, block


def _samples(block: Block) -> Iterator[Sample]:
    cells = block.histograms[0] if block.histograms is not None else [None] * len(block.times)
    yield from zip(block.times.tolist(), block.values[0].tolist(), cells, strict=True)


# CSV


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(blocks: _Counted, store: HistoryStore, matchers: Sequence[Matcher], start: int, end: int, out: IO[bytes]) -> None:
    """Columns: time, name, each label, value, histogram (as PromQL writes one)."""
    names = [name for name in store.label_names(matchers, start, end) if name != NAME_TAG]
    if len(names) > _MOST_COLUMNS:
        raise ToolError(f"These series have {len(names)} labels, more than the {_MOST_COLUMNS} columns allowed; choose fewer.")
    lines = _Lines(out)
    table = csv.writer(lines, lineterminator="\r\n")
    table.writerow(["time", "name", *(guarded(name) for name in names), "value", "histogram"])
    for labels, block in blocks:
        known = dict(labels)
        row = [guarded(known.get(name, "")) for name in (NAME_TAG, *names)]
        table.writerows(
            [_iso(time), *row, "" if cell is not None else _number(value), "" if cell is None else str(cell)]
            for time, value, cell in _samples(block)
        )


class _Lines:
    """What `csv` writes to: UTF-8 onto a binary file."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.encode("utf-8", "replace"))


def _iso(time: int) -> str:
    seconds, milliseconds = divmod(time, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


# OpenMetrics


def _openmetrics(blocks: _Counted, store: HistoryStore, out: IO[bytes]) -> None:
    """OpenMetrics 1.0 text, names in their PromQL spelling. Series of one family follow each other, as the format wants it."""
    known = store.metadata()
    family = ""
    for labels, block in blocks:
        name = promql_name(dict(labels).get(NAME_TAG, ""))
        kind = Kind(int(store.kinds(store.intern([labels], [Kind.GAUGE]))[0]))
        shown = _OPENMETRICS_TYPES.get(kind, "unknown")
        if block.histograms is not None and any(cell is not None for cell in block.histograms[0]):
            shown = "histogram"
        elif shown == "histogram" or (shown == "counter" and not name.endswith("_total")):
            shown = "unknown"
        base = name.removesuffix("_total") if shown == "counter" else name
        if base != family:
            family = base
            out.write(f"# TYPE {base} {shown}\n".encode())
            told = known.get(dict(labels).get(NAME_TAG, ""))
            if told is not None and told.help:
                out.write(f"# HELP {base} {_escaped(told.help)}\n".encode())
        rest = [(promql_name(key).replace(":", "_"), value) for key, value in labels if key != NAME_TAG]
        out.write("".join(_lines(name, rest, block)).encode("utf-8", "replace"))
    out.write(b"# EOF\n")


def _lines(name: str, rest: Sequence[tuple[str, str]], block: Block) -> Iterator[str]:
    braces = _braces(rest)
    for time, value, cell in _samples(block):
        at = f"{time // 1000}.{time % 1000:03d}" if time % 1000 else str(time // 1000)
        if cell is None:
            yield f"{name}{braces} {_number(value)} {at}\n"
            continue
        total = 0.0
        for bucket in cell.buckets():
            total += bucket.count
            if bucket.upper == math.inf:
                continue
            yield f"{name}_bucket{_braces([*rest, ('le', _number(bucket.upper))])} {_number(total)} {at}\n"
        yield f"{name}_bucket{_braces([*rest, ('le', '+Inf')])} {_number(cell.count)} {at}\n"
        yield f"{name}_count{braces} {_number(cell.count)} {at}\n"
        yield f"{name}_sum{braces} {_number(cell.sum)} {at}\n"


def _braces(labels: Sequence[tuple[str, str]]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


# Parquet


def _parquet(blocks: _Counted, out: IO[bytes]) -> None:
    """Columns: time (ms, UTC), name, labels (a map), value, histogram; a row group a block or more."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ToolError(
            "Parquet needs pyarrow, which is not installed: 'pip install lightship[parquet]'. "
            "Or choose --format csv or openmetrics."
        ) from None
    arrow: Any = pyarrow
    text = arrow.dictionary(arrow.int32(), arrow.string())
    schema = arrow.schema(
        [
            ("time", arrow.timestamp("ms", tz="UTC")),
            ("name", text),
            ("labels", arrow.map_(arrow.string(), arrow.string())),
            ("value", arrow.float64()),
            ("histogram", arrow.string()),
        ]
    )
    waiting: list[Any] = []
    rows = 0
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for labels, block in blocks:
            waiting.append(_record_batch(arrow, schema, labels, block))
            rows += len(block.times)
            if rows >= 100_000:
                writer.write_table(arrow.Table.from_batches(waiting, schema).unify_dictionaries().combine_chunks())
                waiting, rows = [], 0
        if waiting:
            writer.write_table(arrow.Table.from_batches(waiting, schema).unify_dictionaries().combine_chunks())


def _record_batch(arrow: Any, schema: Any, labels: Labels, block: Block) -> Any:
    count = len(block.times)
    cells = block.histograms[0] if block.histograms is not None else [None] * count
    floats = arrow.array(block.values[0], mask=np.array([cell is not None for cell in cells]))
    name = arrow.DictionaryArray.from_arrays(
        arrow.array(np.zeros(count, np.int32)), arrow.array([dict(labels).get(NAME_TAG, "")], arrow.string())
    )
    rest = [(key, value) for key, value in labels if key != NAME_TAG]
    tags = arrow.array([rest] * count, schema.field("labels").type)
    texts = arrow.array([None if cell is None else str(cell) for cell in cells], arrow.string())
    times = arrow.array(block.times).cast(arrow.timestamp("ms")).cast(schema.field("time").type)
    return arrow.RecordBatch.from_arrays([times, name, tags, floats, texts], schema=schema)


def written_to(path: Path) -> IO[bytes]:
    """A new file for an export. Raises `ToolError` when it cannot be made."""
    try:
        return path.open("xb")
    except FileExistsError:
        raise ToolError(f"{path} exists already. Name another file: an export never writes over one.") from None
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}.") from None
