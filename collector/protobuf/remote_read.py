"""`prometheus.ReadRequest` read, `prometheus.ReadResponse` written (prompb/remote.proto)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from collector.protobuf.histograms import histogram_record
from collector.protobuf.samples import sample_records
from collector.protobuf.wire import (
    Budget,
    ProtobufError,
    as_message,
    as_signed,
    as_text,
    as_unsigned,
    bytes_field,
    fields,
    number_field,
    packed_varints,
    text_field,
)
from monitor.model.matchers import Matcher, Operator
from monitor.query.history import Block, Labels, Mask

_OPERATORS: tuple[Operator, ...] = ("=", "!=", "=~", "!~")
SAMPLES, STREAMED_CHUNKS = 0, 1
_MOST_FIELDS = 10_000


class ReadQuery(msgspec.Struct, frozen=True):
    """Times in milliseconds, both ends in."""

    start: int
    end: int
    matchers: tuple[Matcher, ...]


class ReadRequest(msgspec.Struct, frozen=True):
    """`accepted`: response types in the order the client likes them; none means samples."""

    queries: tuple[ReadQuery, ...]
    accepted: tuple[int, ...] = ()


def read_request(data: bytes, most_queries: int = 50) -> ReadRequest:
    """Raises `ProtobufError`."""
    budget = Budget(_MOST_FIELDS)
    queries: list[ReadQuery] = []
    accepted: list[int] = []
    for number, kind, value, _ in fields(memoryview(data), budget):
        if number == 1:
            if len(queries) >= most_queries:
                raise ProtobufError(f"more than {most_queries} queries in one request")
            queries.append(_query(as_message(value, kind), budget))
        elif number == 2:
            accepted += packed_varints(value, kind)[:10].tolist()
    return ReadRequest(tuple(queries), tuple(accepted))


def _query(data: memoryview, budget: Budget) -> ReadQuery:
    start = end = 0
    matchers: list[Matcher] = []
    for number, kind, value, _ in fields(data, budget):
        if number == 1:
            start = as_signed(value, kind)
        elif number == 2:
            end = as_signed(value, kind)
        elif number == 3:
            matchers.append(_matcher(as_message(value, kind), budget))
    return ReadQuery(start, end, tuple(matchers))


def _matcher(data: memoryview, budget: Budget) -> Matcher:
    operator, name, text = 0, "", ""
    for number, kind, value, _ in fields(data, budget):
        if number == 1:
            operator = as_unsigned(value, kind)
        elif number == 2:
            name = as_text(value, kind)
        elif number == 3:
            text = as_text(value, kind)
    if operator >= len(_OPERATORS):
        raise ProtobufError(f"matcher type {operator} is not known")
    return Matcher(name, _OPERATORS[operator], text)


def write_request(queries: ReadRequest) -> bytes:
    """A request as a client sends it."""
    return b"".join(bytes_field(1, _query_bytes(query)) for query in queries.queries)


def _query_bytes(query: ReadQuery) -> bytes:
    matchers = [
        number_field(1, _OPERATORS.index(matcher.op)) + text_field(2, matcher.name) + text_field(3, matcher.value)
        for matcher in query.matchers
    ]
    return number_field(1, query.start) + number_field(2, query.end) + b"".join(bytes_field(3, each) for each in matchers)


def labels_fields(labels: Labels) -> bytes:
    """`repeated Label labels = 1` of a TimeSeries."""
    return b"".join(bytes_field(1, text_field(1, name) + text_field(2, value)) for name, value in labels)


def block_series(block: Block) -> Iterator[tuple[Labels, bytes]]:
    """Each series of a block as the body of a TimeSeries, its labels with it for sorting."""
    for row, labels in enumerate(block.labels):
        present: Mask = np.ones(len(block.times), np.bool_) if block.present is None else block.present[row]
        body = b""
        if block.histograms is not None:
            cells = block.histograms[row]
            held = np.array([cell is not None for cell in cells], np.bool_)
            body = b"".join(histogram_record(cells[at], int(block.times[at]), 4) for at in np.flatnonzero(held).tolist())
            present = present & ~held
        samples = sample_records(block.times[present], block.values[row][present])[0]
        if samples or body:
            yield labels, labels_fields(labels) + samples + body


def query_result(blocks: tuple[Block, ...]) -> bytes:
    """`repeated QueryResult results = 1` of the response: one of them, its series sorted by their labels."""
    series = sorted((pair for block in blocks for pair in block_series(block)), key=lambda pair: pair[0])
    return bytes_field(1, b"".join(bytes_field(1, body) for _, body in series))
