"""Requests to ids, times and values, at a dictionary look-up a series for what was met before.

A series of 1.0 is known by the bytes of its labels; one of 2.0 by its symbols, each of which has a number of its own for as long
as the reader lives, since a request numbers them anew. All else is read field by field (`careful`), and known from then on.
"""

from __future__ import annotations

import numpy as np

from collector.protobuf.columns import DEFAULT_BOUNDS, MessageBounds
from collector.protobuf.wire import Budget, ProtobufError, as_message, as_unsigned, fields, packed_varints, varint_at
from collector.receivers.remote_write.careful import CarefulReader
from collector.receivers.remote_write.found import Found
from collector.receivers.remote_write.negotiation import Version
from collector.receivers.remote_write.records import OddRecordError, Records
from collector.receivers.remote_write.series import WrittenSeries

_SERIES_V1, _SYMBOL, _SERIES_V2, _LABELS, _METADATA = 0x0A, 0x22, 0x2A, 0x0A, 0x2A
_METADATA_V1 = 3
_KEY_V2 = tuple(bytes((0x80 | declared,)) for declared in range(8))
"""What a key of 2.0 begins with, by the type of its metadata; the labels of 1.0 begin with 0A."""


class RequestReader:
    """Reads requests one at a time; the ids it gives are of `series.book.space`."""

    def __init__(self, series: WrittenSeries, bounds: MessageBounds = DEFAULT_BOUNDS) -> None:
        self._series = series
        self._bounds = bounds
        self._symbols: dict[bytes, int] = {}

    def read(self, data: bytes, version: Version) -> Found:
        """What a request holds. Raises `ProtobufError` where it is none or holds more than it may."""
        self._series.make_room()
        try:
            return self._read(data, version, quick=True)
        except OddRecordError:
            return self._read(data, version, quick=False)

    def _read(self, data: bytes, version: Version, *, quick: bool) -> Found:
        careful, records = CarefulReader(self._series, self._bounds), Records()
        if version is Version.V1:
            self._series_v1(data, careful, records, quick)
        else:
            self._series_v2(data, careful, records, quick)
        if len(records) > self._bounds.samples:
            raise ProtobufError(f"the message has more than {self._bounds.samples} samples; send it in parts")
        known, found = records.take(data), careful.found()
        if not len(found.ids):
            known.histograms, known.refused, known.exemplars = found.histograms, found.refused, found.exemplars
            return known
        found.ids = np.concatenate((known.ids, found.ids))
        found.times = np.concatenate((known.times, found.times))
        found.values = np.concatenate((known.values, found.values))
        return found

    def _series_v1(self, data: bytes, careful: CarefulReader, records: Records, quick: bool) -> None:
        view, at, end, known = memoryview(data), 0, len(data), self._series.quick.get
        wide, zero, wide_ends, zero_ends = records.wide, records.zero, [0], [0]
        owners: list[int] = []
        while at < end:
            if data[at] != _SERIES_V1:
                field, kind, value, at = next(fields(view, careful.budget, at))
                if field == _METADATA_V1:
                    careful.metadata_v1(as_message(value, kind))
                continue
            # A length of one or two bytes, which is all but odd ones.
            size, begin = (data[at + 1], at + 2) if at + 3 < end else (end + 1, at)
            if size >= 0x80:
                size, begin = size & 0x7F | data[begin] << 7, begin + 1
            if begin + size > end or data[begin - 1] >= 0x80:
                begin, stop = _span(view, at + 1)
            else:
                stop = begin + size
            at = first = stop
            # From the end back, as labels stand in front: each sample is 18 bytes, or 9 where its value is 0.
            while quick and first - begin > 18:
                if data[first - 18] == 0x12 and data[first - 17] == 0x10 and data[first - 16] == 9 and data[first - 7] == 0x10:
                    first -= 18
                    wide.append(first)
                elif data[first - 9] == 0x12 and data[first - 8] == 7 and data[first - 7] == 0x10:
                    first -= 9
                    zero.append(first)
                else:
                    break
            number = known(data[begin:first]) if first < stop else None
            if number is None:
                del wide[wide_ends[-1] :], zero[zero_ends[-1] :]
                careful.series_v1(view[begin:stop])
            else:
                owners.append(number)
                wide_ends.append(len(wide))
                zero_ends.append(len(zero))
        if len(owners) + careful.count > self._bounds.series:
            raise ProtobufError(f"the message has more than {self._bounds.series} series; send it in parts")
        records.settle(owners, wide_ends[1:], zero_ends[1:])

    def _series_v2(self, data: bytes, careful: CarefulReader, records: Records, quick: bool) -> None:
        view, at, end = memoryview(data), 0, len(data)
        symbols: list[bytes] = []
        spans: list[tuple[int, int]] = []
        while at < end:  # symbols may come after the series that refer to them
            tag = data[at]
            if tag in (_SYMBOL, _SERIES_V2):
                begin, stop = at + 2, at + 2 + data[at + 1] if at + 1 < end and data[at + 1] < 0x80 else end + 1
                if stop > end:
                    begin, stop = _span(view, at + 1)
                at = stop
                if tag == _SYMBOL:
                    symbols.append(data[begin:stop])
                else:
                    spans.append((begin, stop))
            else:
                *_, at = next(fields(view, careful.budget, at))
        if len(symbols) > self._bounds.symbols or len(spans) > self._bounds.series:
            raise ProtobufError(
                f"the message has more than {self._bounds.symbols} symbols or {self._bounds.series} series; send it in parts"
            )
        if symbols and symbols[0]:
            raise ProtobufError("the first symbol is not the empty text")
        heads = _Heads(data, records, careful.budget)
        heads.look(spans)
        keys = heads.keys(self._numbers(symbols)) if quick else [b""] * len(spans)
        texts: list[str] | None = None
        known = self._series.quick.get
        owners = [known(key, -1) for key in keys]
        records.settle(owners, heads.wide_ends, heads.zero_ends)
        for place, number in enumerate(owners):
            if number < 0:
                texts = _texts(symbols) if texts is None else texts
                careful.series_v2(view[slice(*spans[place])], texts, keys[place])

    def _numbers(self, symbols: list[bytes]) -> list[int]:
        """The reader's own number of each symbol of a request."""
        known = self._symbols
        if len(known) > self._bounds.symbols:
            known = self._symbols = {}
            self._series.quick.clear()
        return [known.setdefault(each, len(known)) for each in symbols]


class _Heads:
    """What stands before and behind the samples of each series of a 2.0 request: its symbols and its metadata."""

    def __init__(self, data: bytes, records: Records, budget: Budget) -> None:
        self._data, self._records, self._budget = data, records, budget
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._declared: list[int] = []
        self._types: dict[bytes, int] = {}
        self.wide_ends: list[int] = []
        self.zero_ends: list[int] = []

    def look(self, spans: list[tuple[int, int]]) -> None:
        """Notes where the parts of each series stand; one that is laid out otherwise gets no symbols, hence no key."""
        data, wide, zero, types = self._data, self._records.wide, self._records.zero, self._types
        begins, ends, declared, wide_ends, zero_ends = self._begins, self._ends, self._declared, self.wide_ends, self.zero_ends
        for begin, stop in spans:
            first = begin + 2
            at = end = first + data[begin + 1] if stop > first and data[begin] == _LABELS and data[begin + 1] < 0x80 else stop + 1
            while at + 8 < stop and data[at] == 0x12:
                if data[at + 1] == 0x10 and data[at + 2] == 9 and at + 18 <= stop and data[at + 11] == 0x10:
                    wide.append(at)
                    at += 18
                elif data[at + 1] == 7 and data[at + 2] == 0x10:
                    zero.append(at)
                    at += 9
                else:
                    break
            kind = 0
            if at + 1 < stop and data[at] == _METADATA and at + 2 + data[at + 1] == stop and data[at + 1] < 0x80:
                metadata = data[at + 2 : stop]
                kind = types[metadata] if metadata in types else self._type(metadata)
                at = stop
            if at != stop or kind < 0:
                del wide[wide_ends[-1] if wide_ends else 0 :], zero[zero_ends[-1] if zero_ends else 0 :]
                end = first
            begins.append(first)
            ends.append(end)
            declared.append(kind)
            wide_ends.append(len(wide))
            zero_ends.append(len(zero))

    def _type(self, metadata: bytes) -> int:
        """The type that metadata declares, -1 for none that there is."""
        found = 0
        for number, kind, value, _ in fields(memoryview(metadata), self._budget):
            found = as_unsigned(value, kind) if number == 1 else found
        found = self._types[metadata] = found if found < len(_KEY_V2) else -1
        return found

    def keys(self, numbers: list[int]) -> list[bytes]:
        """The key of each series, b"" where it has none."""
        begins, ends = np.array(self._begins, np.int64), np.array(self._ends, np.int64)
        sizes = ends - begins
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        whole = np.frombuffer(self._data, np.uint8)
        packed = whole[np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], sizes)]
        told = sizes > 0
        if not len(packed) or (packed[offsets[1:][told] - 1] >= 0x80).any():
            return [b""] * len(begins)
        refs = packed_varints(memoryview(packed.tobytes()), 2)
        if int(refs.max()) >= len(numbers):
            return [b""] * len(begins)
        own = np.array(numbers, np.int32)[refs].tobytes()
        edges = (4 * np.concatenate(([0], np.cumsum(packed < 0x80)))[offsets]).tolist()
        spans = zip(self._declared, edges[:-1], edges[1:], strict=True)
        return [_KEY_V2[declared] + own[begin:end] if end > begin else b"" for declared, begin, end in spans]


def _span(data: memoryview, at: int) -> tuple[int, int]:
    """Where the value begins and ends whose length stands at `at`."""
    size = data[at] if at < len(data) else 0x80
    begin = at + 1
    if size >= 0x80:
        size, begin = varint_at(data, at)
    if begin + size > len(data):
        raise ProtobufError("a field reaches beyond the end of its message")
    return begin, begin + size


def _texts(symbols: list[bytes]) -> list[str]:
    try:
        return [each.decode() for each in symbols]
    except UnicodeDecodeError:
        raise ProtobufError("a text is not UTF-8") from None
