"""An answer as the JSON of `/api/v1/query` and `query_range`, in pieces: a row of the matrix is never a Python object a sample.

Source: prometheus.io, querying/api; web/api/v1/json_codec.go for native histograms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any

import msgspec
import numpy as np

from collector.server.prometheus.numbers import go_float, go_floats, timestamp, timestamps
from monitor.query.histogram import Histogram
from monitor.query.history import Answer, Block, Cells, Mask, Matrix, Values, stale_at

encode = msgspec.json.Encoder().encode


def answer_json(answer: Answer, warnings: Sequence[str] = (), stats: dict[str, Any] | None = None) -> Iterator[bytes]:
    """The whole envelope. Made as it is asked for: a long answer is never in memory at once."""
    yield b'{"status":"success","data":{"resultType":"' + answer.kind.encode() + b'","result":'
    yield from _result(answer)
    if stats is not None:
        yield b',"stats":' + encode(stats)
    yield b"}"
    yield from trailer((*answer.warnings, *warnings), answer.infos)


def trailer(warnings: Sequence[str], infos: Sequence[str] = ()) -> Iterator[bytes]:
    """The end of an envelope."""
    if warnings:
        yield b',"warnings":' + encode(list(warnings))
    if infos:
        yield b',"infos":' + encode(list(infos))
    yield b"}"


def _result(answer: Answer) -> Iterator[bytes]:
    matrix = answer.matrix
    if answer.kind == "string" or (matrix is None and answer.kind != "matrix"):
        time = 0 if answer.meta is None else int(answer.meta.get("time", 0))
        yield f"[{timestamp(time)},".encode() + encode(answer.text) + b"]"
    elif answer.kind == "scalar" and matrix is not None:
        yield f'[{timestamp(int(matrix.times[0]))},"{go_float(float(matrix.values[0, 0]))}"]'.encode()
    elif answer.kind == "vector" and matrix is not None:
        yield from _listed(_vector(matrix))
    elif matrix is not None:
        yield from _listed(_rows(Block(matrix.labels, matrix.times, matrix.values, matrix.present, matrix.histograms)))
    else:
        yield from _listed(row for block in answer.raw for row in _rows(_without_stale(block)))


def _listed(items: Iterator[bytes]) -> Iterator[bytes]:
    yield b"["
    for number, item in enumerate(items):
        yield b"," + item if number else item
    yield b"]"


def _vector(matrix: Matrix) -> Iterator[bytes]:
    texts = go_floats(matrix.values[:, 0])
    time = timestamp(int(matrix.times[0])).encode()
    for row, labels in enumerate(matrix.labels):
        head = b'{"metric":' + encode(dict(labels))
        histogram = matrix.histograms[row, 0] if matrix.histograms is not None else None
        if histogram is not None:
            yield head + b',"histogram":[' + time + b"," + histogram_json(histogram) + b"]}"
        elif matrix.present[row, 0]:
            yield head + b',"value":[' + time + b',"' + texts[row] + b'"]}'


def _rows(block: Block) -> Iterator[bytes]:
    texts = timestamps(block.times)
    heads = [b'"],[' + text + b',"' for text in texts]
    for row, series in enumerate(block.labels):
        present = block.present[row] if block.present is not None else None
        cells = block.histograms[row] if block.histograms is not None else None
        body = _histograms_and_floats(texts, heads, block.values[row], present, cells)
        if body:
            yield b'{"metric":' + encode(dict(series)) + body + b"}"


def _histograms_and_floats(
    texts: list[bytes], heads: list[bytes], values: Values, present: Mask | None, cells: Cells | None
) -> bytes:
    body = b""
    floats = present
    drawn: list[bytes] = []
    if cells is not None:
        held = np.array([cell is not None for cell in cells], np.bool_)
        floats = ~held if present is None else present & ~held
        drawn = [b"[" + texts[place] + b"," + histogram_json(cells[place]) + b"]" for place in np.flatnonzero(held).tolist()]
    if floats is None or floats.any():
        body = b',"values":[' + _pairs(heads, values, floats) + b"]"
    if drawn:
        body += b',"histograms":[' + b",".join(drawn) + b"]"
    return body


def _pairs(heads: list[bytes], values: Values, present: Mask | None) -> bytes:
    if present is not None and not present.all():
        heads, values = list(compress(heads, present.tolist())), values[present]
    parts = [b""] * (2 * len(heads))
    parts[::2] = heads
    parts[1::2] = go_floats(values)
    return b"".join(parts)[3:] + b'"]'


def _without_stale(block: Block) -> Block:
    stale = stale_at(block.values)
    if block.histograms is not None:
        stale &= np.frompyfunc(lambda cell: cell is None, 1, 1)(block.histograms).astype(np.bool_)
    if not stale.any():
        return block
    present = ~stale if block.present is None else block.present & ~stale
    return Block(block.labels, block.times, block.values, present, block.histograms, block.starts)


def histogram_json(histogram: Histogram) -> bytes:
    """`{"count":"…","sum":"…","buckets":[[bounds,"lower","upper","count"],…]}`. Bounds: 0 lower open, 1 upper open, 2 both open,
    3 both closed.
    """
    buckets = [
        [
            (3 if bucket.upper_inclusive else 1) if bucket.lower_inclusive else (0 if bucket.upper_inclusive else 2),
            go_float(bucket.lower),
            go_float(bucket.upper),
            go_float(bucket.count),
        ]
        for bucket in histogram.buckets()
    ]
    shown: dict[str, Any] = {"count": go_float(histogram.count), "sum": go_float(histogram.sum)}
    if buckets:
        shown["buckets"] = buckets
    return encode(shown)
