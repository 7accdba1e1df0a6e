"""The bins of all histograms: which one a value falls into, and the value that stands for it.

An OpenTelemetry exponential histogram of scale 6 (opentelemetry.io, metrics data model, "Exponential scale"): the base is
2^(1/64), and the bucket of index i holds (base^i, base^(i+1)]. Here one int32 holds sign and index in the order of the values:
`index + ZERO_INDEX` for a value above zero, the negative of that for its mirror image, 0 for zero. The geometric middle of a
bucket is at most 2^(1/128) - 1 = 0.543 % from any value in it. Prometheus native histograms of schema 6 count upper bounds:
their index is OpenTelemetry's plus one.
"""

from __future__ import annotations

import numpy as np

from monitor.model.batch import Floats, Ids

SCALE = 6
PER_OCTAVE = 1 << SCALE
ZERO_INDEX = 1 << 17
"""More than the smallest double's index is below zero (1074 octaves of 64), so every value above zero has a bin above 0."""

BIN_BITS = 19
"""Bits that hold a bin made non-negative by adding 2^18."""


def bins_of(values: Floats) -> Ids:
    """The bin of each finite value, int32."""
    magnitudes = np.abs(values)
    with np.errstate(divide="ignore"):
        indices = np.ceil(np.log2(magnitudes) * PER_OCTAVE) - 1
    indices[magnitudes == 0] = -ZERO_INDEX
    bins: Ids = np.copysign(indices + ZERO_INDEX, values).astype(np.int32)
    return bins


def middles_of(bins: Ids) -> Floats:
    """The value that stands for each bin: the geometric middle of its bucket."""
    exponents = (np.abs(bins) - ZERO_INDEX + 0.5) / PER_OCTAVE
    with np.errstate(over="ignore", under="ignore"):
        middles: Floats = np.sign(bins) * np.exp2(exponents)
    return middles
