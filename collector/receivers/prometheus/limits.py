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
