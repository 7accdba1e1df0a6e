"""The messages of Prometheus remote read with the response type SAMPLES, to and from matchers and columns.

Source: Prometheus, prompb/remote.proto (ReadRequest, ReadResponse) and prompb/types.proto (LabelMatcher, ReadHints).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from collector.protobuf.columns import DEFAULT_BOUNDS, MessageBounds, SeriesColumns
from collector.protobuf.timeseries import Gathered, decode_series, encode_series
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
    packed_list,
    text_field,
)
from monitor.model.matchers import Matcher, Operator
from monitor.query.history import Hints

SAMPLES, STREAMED_CHUNKS = 0, 1
_OPERATORS: tuple[Operator, ...] = ("=", "!=", "=~", "!~")
"""By the number LabelMatcher.Type gives them."""


class ReadQuery(msgspec.Struct, frozen=True):
    """One query: milliseconds, both ends inclusive."""

    start: int
    end: int
    matchers: tuple[Matcher, ...] = ()
    hints: Hints = Hints()


class ReadRequest(msgspec.Struct, frozen=True):
    """`accepted`: response types in order of preference; none means `SAMPLES`."""

    queries: tuple[ReadQuery, ...]
    accepted: tuple[int, ...] = ()

    @property
    def takes_samples(self) -> bool:
        return not self.accepted or SAMPLES in self.accepted


def decode_read_request(data: bytes, bounds: MessageBounds = DEFAULT_BOUNDS) -> ReadRequest:
    """Raises `ProtobufError`."""
    budget = Budget(bounds.fields)
    queries: list[ReadQuery] = []
    accepted: list[int] = []
    for number, kind, value, _ in fields(memoryview(data), budget):
        if number == 1:
            if len(queries) >= bounds.queries:
                raise ProtobufError(f"the request has more than {bounds.queries} queries")
            queries.append(_query(as_message(value, kind), budget, bounds))
        elif number == 2:
            accepted += packed_list(value, kind)
            if len(accepted) > 100:
                raise ProtobufError("the request accepts more response types than there are")
    return ReadRequest(tuple(queries), tuple(accepted))


def _query(data: memoryview, budget: Budget, bounds: MessageBounds) -> ReadQuery:
    span = {1: 0, 2: 0}
    matchers: list[Matcher] = []
    hints = Hints()
    for number, kind, value, _ in fields(data, budget):
        if number in span:
            span[number] = as_signed(value, kind)
        elif number == 3:
            if len(matchers) >= bounds.matchers:
                raise ProtobufError(f"a query has more than {bounds.matchers} matchers")
            matchers.append(_matcher(as_message(value, kind), budget))
        elif number == 4:
            hints = _hints(as_message(value, kind), budget)
    return ReadQuery(span[1], span[2], tuple(matchers), hints)


def _matcher(data: memoryview, budget: Budget) -> Matcher:
    operator, texts = 0, {2: "", 3: ""}
    for number, kind, value, _ in fields(data, budget):
        if number == 1:
            operator = as_unsigned(value, kind)
        elif number in texts:
            texts[number] = as_text(value, kind)
    if operator >= len(_OPERATORS):
        raise ProtobufError(f"matcher type {operator} is none")
    return Matcher(texts[2], _OPERATORS[operator], texts[3])


def _hints(data: memoryview, budget: Budget) -> Hints:
    numbers, func = {1: 0, 3: 0, 7: 0}, ""
    for number, kind, value, _ in fields(data, budget):
        if number in numbers:
            numbers[number] = as_signed(value, kind)
        elif number == 2:
            func = as_text(value, kind)
    return Hints(step=max(0, numbers[1]), range=max(0, numbers[7]), func=func, first=numbers[3])


def encode_read_request(request: ReadRequest) -> bytes:
    parts = []
    for query in request.queries:
        matchers = [
            bytes_field(3, number_field(1, _OPERATORS.index(m.op)) + text_field(2, m.name) + text_field(3, m.value))
            for m in query.matchers
        ]
        hints = query.hints
        hint = (
            number_field(1, hints.step)
            + text_field(2, hints.func)
            + number_field(3, query.start)
            + number_field(4, query.end)
            + number_field(7, hints.range)
        )
        body = number_field(1, query.start) + number_field(2, query.end) + b"".join(matchers) + bytes_field(4, hint)
        parts.append(bytes_field(1, body))
    parts += [bytes_field(2, bytes(request.accepted))] if request.accepted else []
    return b"".join(parts)


def encode_read_response(results: Sequence[SeriesColumns]) -> bytes:
    """Results in the order of the queries; see `columns_of` for those of a history."""
    return b"".join(bytes_field(1, b"".join(bytes_field(1, series) for series in encode_series(columns))) for columns in results)


def decode_read_response(data: bytes, bounds: MessageBounds = DEFAULT_BOUNDS) -> list[SeriesColumns]:
    """One set of columns a query. Raises `ProtobufError`."""
    found: list[SeriesColumns] = []
    budget = Budget(bounds.fields)
    for number, kind, value, _ in fields(memoryview(data), budget):
        if number == 1:
            if len(found) >= bounds.queries:
                raise ProtobufError(f"the response has more than {bounds.queries} results")
            gathered = Gathered(bounds)
            for inner, inner_kind, series, _ in fields(as_message(value, kind), gathered.budget):
                if inner == 1:
                    decode_series(as_message(series, inner_kind), gathered)
            found.append(gathered.columns())
    return found
