"""Bounds of one exposition and the errors for what lies outside them."""

from __future__ import annotations

from dataclasses import dataclass


class ExpositionError(ValueError):
    """An exposition that is not what its format says; the message names the line and the reason."""


class LimitError(ExpositionError):
    """An exposition over one of its limits: the scrape fails as a whole, as it does in Prometheus."""


@dataclass(frozen=True, slots=True)
class ExpositionLimits:
    """Most bytes (decoded), samples, labels of a series, and characters of a name and of a label's value."""

    body_bytes: int = 32 * 2**20
    samples: int = 200_000
    labels: int = 64
    name_length: int = 512
    value_length: int = 4096


@dataclass(frozen=True, slots=True)
class SeriesLimits:
    """What a job allows each scrape of a target after relabelling: samples, labels of a series, and characters of a label's name
    and value. 0: no limit of the job's own."""

    samples: int = 0
    labels: int = 0
    name_length: int = 0
    value_length: int = 0

    def check(self, name: str, labels: dict[str, str]) -> None:
        """Raises `LimitError` for a series (`labels` without its name) over one of them."""
        if self.labels and len(labels) + 1 > self.labels:
            raise LimitError(f"{name[:80]!r} has {len(labels) + 1} labels with its name; label_limit is {self.labels}")
        if self.name_length or self.value_length:
            for label, value in (("__name__", name), *labels.items()):
                if self.name_length and len(label) > self.name_length:
                    raise LimitError(f"{name[:80]!r} has the label {label[:80]!r}; label_name_length_limit is {self.name_length}")
                if self.value_length and len(value) > self.value_length:
                    raise LimitError(
                        f"label {label[:80]!r} of {name[:80]!r} has {len(value)} characters;"
                        f" label_value_length_limit is {self.value_length}"
                    )
