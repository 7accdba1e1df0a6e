"""What is known of a block without opening it: services and operations, how long and how bad, and which traces may be in it."""

from __future__ import annotations

import sys
from collections import Counter

import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.traces.codec import DamagedChunkError, stored, unzipped, zipped
from monitor.model.logs import Logs
from monitor.model.spans import Spans, Status

MOST_SERVICES, MOST_OPERATIONS = 256, 1024
"""Of one block; of a block with more only is known that there may be any."""
_FEW = min(MOST_SERVICES, 256)
"""Rows below which none of the bounds can be met."""
_SHORT = 4096
"""Bytes of a summary below which packing it costs more than it saves: its block is merged soon."""
_HASHES, _BITS = 6, 10
"""A Bloom filter of so many bits a trace is wrong about one block in a hundred. An index of ids in the database would cost
more than the spans themselves: twenty bytes and a random page a trace."""
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class ServiceSummary(msgspec.Struct, frozen=True, array_like=True):
    """Of one service in one block. `longest`: nanoseconds of its longest span; `severity`: the highest of its logs."""

    rows: int
    longest: int = 0
    errors: int = 0
    severity: int = 0
    operations: tuple[str, ...] = ()


class Summary(msgspec.Struct, frozen=True, array_like=True):
    """`services` by name; `open`: there are more services or operations than it tells. `filter`: of its traces."""

    services: dict[str, ServiceSummary]
    open: bool
    filter: bytes

    def may_hold(self, service: str, operation: str, longest: int, error: bool) -> bool:
        """Whether a span of such a service ("" any) and operation, at least so long, and an error if asked, may be in it."""
        if self.open:
            return True
        known = self.services.values() if not service else [self.services[service]] if service in self.services else ()
        return any(
            one.longest >= longest and (not error or one.errors) and (not operation or operation in one.operations)
            for one in known
        )

    def may_hold_logs(self, service: str, severity: int) -> bool:
        if self.open:
            return True
        known = self.services.values() if not service else [self.services[service]] if service in self.services else ()
        return any(one.severity >= severity for one in known)

    def may_hold_traces(self, hashes: npt.NDArray[np.uint64]) -> bool:
        """Whether any of the traces, of which `hashes_of` made these, may be in it."""
        if not self.filter:
            return False
        size = np.uint64(len(self.filter) * 8)
        places = hashes % size
        bits = np.frombuffer(self.filter, np.uint8)[(places >> np.uint64(3)).astype(np.int64)] >> (places & np.uint64(7)).astype(
            np.uint8
        )
        return bool((bits & 1).all(axis=1).any())


def hashes_of(traces: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """uint64[n, 6] of the traces uint64[n, 2]: splitmix64's finalizer, then steps by its upper half (Kirsch and Mitzenmacher)."""
    mixed = traces[:, 1] ^ (traces[:, 0] * np.uint64(0x9E3779B97F4A7C15))
    for shift, factor in zip((30, 27), _MIX, strict=True):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * factor
    mixed ^= mixed >> np.uint64(31)
    step = (mixed >> np.uint64(32)) | np.uint64(1)
    found: npt.NDArray[np.uint64] = mixed[:, None] + step[:, None] * np.arange(_HASHES, dtype=np.uint64)[None, :]
    return found


def filter_of(traces: npt.NDArray[np.uint64]) -> bytes:
    """The filter over traces uint64[n, 2]; empty for none."""
    if not len(traces):
        return b""
    size = -(-len(traces) * _BITS // 8)
    bits = np.zeros(size * 8, np.bool_)
    bits[(hashes_of(traces) % np.uint64(size * 8)).astype(np.int64).ravel()] = True
    return np.packbits(bits, bitorder="little").tobytes()


def distinct(traces: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Each trace once, but for 0, which is none; in any order."""
    if not len(traces):
        return traces
    order = np.lexsort((traces[:, 1], traces[:, 0]))
    lined = traces[order]
    fresh = np.ones(len(lined), np.bool_)
    fresh[1:] = (lined[1:] != lined[:-1]).any(axis=1)
    found: npt.NDArray[np.uint64] = lined[fresh & lined.any(axis=1)]
    return found


def of_spans(spans: Spans) -> Summary:
    if len(spans) < _FEW:
        return _of_few(spans)
    pairs = np.unique(spans.services.astype(np.int64) << 32 | spans.names).tolist()
    operations: dict[int, list[str]] = {}
    for pair in pairs[:MOST_OPERATIONS]:
        operations.setdefault(pair >> 32, []).append(spans.texts[pair & 0xFFFFFFFF])
    count = len(spans.texts)
    rows = np.bincount(spans.services, minlength=count)
    errors = np.bincount(spans.services[spans.statuses == Status.ERROR], minlength=count)
    longest = np.zeros(count, np.int64)
    np.maximum.at(longest, spans.services, spans.durations)
    known = list(operations.items())[:MOST_SERVICES]
    found = {
        spans.texts[one]: ServiceSummary(int(rows[one]), int(longest[one]), int(errors[one]), 0, tuple(sorted(of)))
        for one, of in known
    }
    whole = len(pairs) <= MOST_OPERATIONS and len(operations) <= MOST_SERVICES
    return Summary(found, not whole, filter_of(distinct(spans.traces)))


def _of_few(spans: Spans) -> Summary:
    """The same, row by row: for a few rows quicker than columns are."""
    texts, services, durations = spans.texts, spans.services.tolist(), spans.durations.tolist()
    operations: dict[int, list[str]] = {}
    for service, name in set(zip(services, spans.names.tolist(), strict=True)):
        operations.setdefault(service, []).append(texts[name])
    longest = {service: duration for duration, service in sorted(zip(durations, services, strict=True))}
    rows, errors = Counter(services), Counter(spans.services[spans.statuses == Status.ERROR].tolist())
    found = {
        texts[one]: ServiceSummary(rows[one], longest[one], errors[one], 0, tuple(sorted(of))) for one, of in operations.items()
    }
    traces = {(high, low) for high, low in spans.traces.tolist() if high or low}
    return Summary(found, False, filter_of(np.array(list(traces), np.uint64).reshape(-1, 2)))


def of_logs(logs: Logs) -> Summary:
    services = np.unique(logs.services).tolist()
    count = len(logs.texts)
    rows = np.bincount(logs.services, minlength=count)
    highest = np.zeros(count, np.int64)
    np.maximum.at(highest, logs.services, logs.severities.astype(np.int64))
    found = {logs.texts[one]: ServiceSummary(int(rows[one]), severity=int(highest[one])) for one in services[:MOST_SERVICES]}
    return Summary(found, len(services) > MOST_SERVICES, filter_of(distinct(logs.traces)))


def pack(summary: Summary) -> bytes:
    plain = msgspec.msgpack.encode(summary)
    return stored(plain) if len(plain) < _SHORT else zipped(plain)


_summary = msgspec.msgpack.Decoder(Summary)


def unpack(blob: bytes) -> Summary:
    """Raises `DamagedChunkError`. Names of many blocks share one text in memory."""
    try:
        found = _summary.decode(unzipped(blob))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedChunkError(f"a summary cannot be read: {error}") from None
    services = {
        sys.intern(name): msgspec.structs.replace(one, operations=tuple(map(sys.intern, one.operations)))
        for name, one in found.services.items()
    }
    return msgspec.structs.replace(found, services=services)
