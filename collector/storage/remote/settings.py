"""How much of what the writer to a remote store may hold, and how patient it is."""

from __future__ import annotations

from typing import Literal

import msgspec

from collector.storage.remote.queue import QueueBounds

Names = Literal["underscores", "as_sent"]


class RemoteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A request has at most about `batch_samples` and waits for no more than `batch_age` seconds. `patience`: seconds an answer
    may take. After a failure `least_wait` seconds pass, doubled each time up to `longest_wait`. `names`: whether they are sent in
    the old alphabet, with underscores, or as they came. `most_pending`: samples kept in memory while the disk refuses them.
    `again_with_2_0`: seconds after which a receiver that knew 1.0 only is asked again.
    """

    queue: QueueBounds = QueueBounds()
    batch_samples: int = 20_000
    batch_age: float = 5.0
    patience: float = 30.0
    least_wait: float = 0.5
    longest_wait: float = 30.0
    names: Names = "underscores"
    series: int = 1_000_000
    most_pending: int = 1_000_000
    again_with_2_0: float = 3600.0
