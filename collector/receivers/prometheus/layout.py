"""The lines of one answer without their values: what makes the next answer cheap."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt

from collector.receivers.prometheus.dictionary import Dictionary
from collector.receivers.prometheus.limits import ExpositionError, LimitError
from monitor.model.batch import Ids
from monitor.model.series import Kind


@dataclass(slots=True, eq=False)
class Layout:
    """`prefixes` are the sample lines up to their values; `ids` their series, each once; `keep` the positions of those, None
    where all are kept; `counters` the positions of counters' samples."""

    is_sample: list[bool]
    is_metadata: list[bool]
    metadata: list[bytes]
    prefixes: list[bytes]
    ids: Ids
    keep: npt.NDArray[np.int64] | None
    counters: npt.NDArray[np.int64]
    metadata_bytes: int
    prefix_bytes: int

    def tokens_of(self, lines: list[bytes], length: int) -> tuple[list[bytes], bytes] | None:
        """What follows the series on each sample line, and the same joined by commas; None when `lines` (of a body of
        `length` bytes) have another layout. One pass at the speed of C, without a loop over lines."""
        if len(lines) != len(self.is_sample) or list(compress(lines, self.is_metadata)) != self.metadata:
            return None
        tokens = list(map(bytes.removeprefix, compress(lines, self.is_sample), self.prefixes))
        joined = b",".join(tokens)
        # The lengths add up only if every line really began with its prefix.
        sample_bytes = length - (len(lines) - 1) - self.metadata_bytes
        if sample_bytes - self.prefix_bytes != len(joined) - max(0, len(tokens) - 1):
            return None
        return tokens, joined


def read_layout(lines: list[bytes], dictionary: Dictionary) -> tuple[Layout, list[bytes]]:
    """The layout of `lines` and what follows the series on each sample line.

    Raises `ExpositionError` (`LimitError` for too many samples) and `TypeChangedError`.
    """
    known, most = dictionary.known, dictionary.limits.samples
    is_sample: list[bool] = []
    metadata: list[bytes] = []
    prefixes: list[bytes] = []
    tokens: list[bytes] = []
    ids: list[int] = []
    for line in lines:
        cut = line.rfind(b" ") + 1
        prefix = line[:cut]
        series = known.get(prefix)
        if series is None:
            if dictionary.is_metadata(line):
                is_sample.append(False)
                metadata.append(line)
                continue
            if len(ids) >= most:
                break
            prefix, series = dictionary.sample(line)
            cut = len(prefix)
        is_sample.append(True)
        prefixes.append(prefix)
        tokens.append(line[cut:])
        ids.append(series)
    if len(ids) > most or len(is_sample) < len(lines):
        raise LimitError(f"the answer has more than {most} samples")
    if dictionary.openmetrics:
        _check_end(lines)
    series_ids = np.array(ids, np.int32)
    keep = _without_duplicates(series_ids, tokens)
    layout = Layout(
        is_sample=is_sample,
        is_metadata=[not sample for sample in is_sample],
        metadata=metadata,
        prefixes=prefixes,
        ids=series_ids if keep is None else series_ids[keep],
        keep=keep,
        counters=np.array([position for position, of in enumerate(ids) if dictionary.series[of].kind is Kind.COUNTER], np.int64),
        metadata_bytes=sum(map(len, metadata)),
        prefix_bytes=sum(map(len, prefixes)),
    )
    return layout, tokens


def _check_end(lines: list[bytes]) -> None:
    last = len(lines) - 1 if lines[-1] else len(lines) - 2
    if last < 0 or lines[last] != b"# EOF":
        raise ExpositionError("the last line must be # EOF (was the answer cut off?)")


def _without_duplicates(series: Ids, tokens: list[bytes]) -> npt.NDArray[np.int64] | None:
    """Positions to keep so that each series stands once, or None where it does already.

    Without timestamps the first sample of a series counts, as in Prometheus; with them the last, which is the newest.
    """
    unique, first = np.unique(series, return_index=True)
    if len(unique) == len(series):
        return None
    if any(b" " in token for token in tokens):
        _, from_end = np.unique(series[::-1], return_index=True)
        return np.sort(len(series) - 1 - from_end).astype(np.int64)
    return np.sort(first).astype(np.int64)
