"""Requests for tests: series with their samples, in either version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cramjam
import numpy as np

from collector.protobuf.columns import SeriesColumns
from collector.protobuf.write import encode_write_v1, encode_write_v2
from collector.receivers.remote_write.negotiation import Version
from monitor.query.histogram import Histogram
from monitor.query.history import Cells, Labels, Metadata

Samples = Mapping[Labels, Sequence[tuple[int, float]]]
ENCODERS = {Version.V1: encode_write_v1, Version.V2: encode_write_v2}


def labels(name: str, **more: str) -> Labels:
    """The labels of a series, sorted."""
    return tuple(sorted({"__name__": name, **more}.items()))


def encoded(version: Version, samples: Samples, types: Mapping[str, str] | None = None) -> bytes:
    """An unpacked request; times in milliseconds."""
    sizes = [len(each) for each in samples.values()]
    flat = [one for each in samples.values() for one in each]
    about = {name: Metadata(kind) for name, kind in (types or {}).items()}
    return ENCODERS[version](
        SeriesColumns(
            tuple(samples),
            np.cumsum([0, *sizes], dtype=np.int64),
            np.array([time for time, _ in flat], np.int64),
            np.array([value for _, value in flat], np.float64),
            metadata=about,
        )
    )


def drawn(version: Version, name: Labels, histograms: Sequence[tuple[int, Histogram]]) -> bytes:
    """A request with the histograms of one series."""
    cells: Cells = np.empty(len(histograms), object)
    cells[:] = [histogram for _, histogram in histograms]
    times = np.array([time for time, _ in histograms], np.int64)
    return ENCODERS[version](SeriesColumns((name,), np.array([0, len(times)]), times, np.zeros(len(times)), cells))


def packed(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))
