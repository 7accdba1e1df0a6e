"""Which traces tail sampling keeps, and the count of what became of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from monitor.pipeline.sampling import threshold_of


@dataclass(frozen=True, slots=True)
class TailPolicies:
    """Which traces are kept.

    `errors`: with a span of status error. `slower_than`: seconds from the first start to the last end, None for off.
    `rare`: with an operation of a service that was seen less often than this in about the last minute, 0 for off. `share`:
    this part of all others, by their ids as in head sampling. `traces_per_second`: at most so many on average, None for any;
    beyond it the least telling go. Raises `ValueError`.
    """

    errors: bool = True
    slower_than: float | None = None
    rare: int = 0
    share: float = 0.1
    traces_per_second: float | None = None

    def __post_init__(self) -> None:
        threshold_of(self.share)
        if self.slower_than is not None and not self.slower_than > 0:
            raise ValueError(f"tail sampling: slower_than is {self.slower_than!r}; it is a number of seconds above 0")
        if self.traces_per_second is not None and not self.traces_per_second > 0:
            raise ValueError(f"tail sampling: traces_per_second is {self.traces_per_second!r}; it is a number above 0")


@dataclass(slots=True)
class TailCounters:
    """Traces and spans by what became of them."""

    kept_traces: int = 0
    kept_spans: int = 0
    dropped_traces: int = 0
    dropped_spans: int = 0
    limited_traces: int = 0
    """Would have been kept, but for `traces_per_second`."""
    shed_traces: int = 0
    """Decided before they were whole, for want of room, and dropped."""
    shed_spans: int = 0
    late_spans: int = 0
    """Came after their trace was decided, and shared its fate."""

    def figures(self) -> dict[str, float]:
        """Counters by name."""
        return {f"tail_{name}_total": float(count) for name, count in asdict(self).items()}
