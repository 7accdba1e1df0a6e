"""What the store of spans and logs is told: how long it keeps them, and how much it may take."""

from __future__ import annotations

import msgspec

SPANS, LOGS = 0, 1
"""Kinds of blocks, part of the file's format."""
KIND_NAMES = ("spans", "logs")


class TraceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, unless said otherwise. `keep`: how long spans and logs are kept, by whole blocks.

    `max_bytes`: of the packed blocks; beyond it the oldest go first. `pending_bytes`: what memory holds at most while the disk
    does not take it; more is refused and counted. `merge`: blocks of like size that become one; `block_rows`: rows of a block
    that is not merged any more. `merge_span`: blocks written in different spans of this length are never merged, so that age can
    give them up one by one. `cache_bytes`: unpacked columns kept for the next search. `rest`: how long a disk that refused is
    left alone.
    """

    keep: float = 3 * 86_400.0
    max_bytes: int = 2 << 30
    pending_bytes: int = 128 << 20
    merge: int = 16
    block_rows: int = 65_536
    merge_span: float = 6 * 3600.0
    cache_bytes: int = 64 << 20
    rest: float = 5.0
