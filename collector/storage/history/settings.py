"""What the embedded history is told: how long it keeps what, and how much it may take."""

from __future__ import annotations

import msgspec

DAY = 86_400_000
TIER_STEPS = (0, 10_000, 60_000, 3_600_000)
"""Milliseconds between samples of each tier: raw (0: as they came), 10 s, 1 m, 1 h."""
TIER_NAMES = ("raw", "10 s", "1 m", "1 h")
WINDOW = 4 * 3_600_000
"""Milliseconds of raw samples that are merged at once, and made tiers of. Six of them are a day, the span of a raw chunk."""
TIER_SPANS = (DAY, 4 * 3_600_000, DAY, 30 * DAY)
"""Milliseconds of each tier's spans, part of the file's format. Span k holds (k * length, (k + 1) * length]."""
RAW, HOURLY = 0, 3


class HistorySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, unless said otherwise. `keep`: how long each tier is kept, by its place in `TIER_STEPS`.

    `max_bytes`: of database and journal; beyond it the tier with most bytes gives up its oldest span. `out_of_order`: how much
    older than its series' newest a sample may be. `future`: how far ahead of the clock a sample may be. `fold_samples`,
    `fold_age`: when fresh samples go from memory into chunks; `head_samples`: most that memory holds while they cannot.
    `quiet`: how long a window of the past that got samples is left alone before it is merged. `segment_bytes`: size of a
    journal segment. `rest`: how long a disk that refused is left alone.
    """

    keep: tuple[float, float, float, float] = (7 * 86_400.0, 30 * 86_400.0, 180 * 86_400.0, 5 * 365 * 86_400.0)
    max_bytes: int = 10 << 30
    out_of_order: float = 3600.0
    future: float = 86_400.0
    fold_samples: int = 1_500_000
    fold_age: float = 3600.0
    head_samples: int = 4_000_000
    quiet: float = 30.0
    segment_bytes: int = 16 << 20
    rest: float = 5.0

    def kept_since(self, tier: int, now: int) -> int:
        """The time, in milliseconds, up to which a tier has given its samples up; `now` in milliseconds."""
        return now - int(self.keep[tier] * 1000)


def span_of(tier: int, time: int) -> int:
    """The span of a tier that a time is in: left-open, right-closed, so that buckets stamped with their end stay inside."""
    return (time - 1) // TIER_SPANS[tier]


def window_of(time: int) -> int:
    """The window of raw samples that a time is in, left-open and right-closed too."""
    return (time - 1) // WINDOW


def span_end(tier: int, span: int) -> int:
    """The last millisecond of a span."""
    return (span + 1) * TIER_SPANS[tier]
