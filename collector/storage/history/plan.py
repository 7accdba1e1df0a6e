"""Which tiers answer a query: exact ones without a word, coarser ones only where nothing finer is left."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collector.storage.history.chunk_table import GREATEST, LAST, LEAST, SUM
from collector.storage.history.settings import RAW, TIER_NAMES, TIER_STEPS
from monitor.query.history import Hints

_FIELDS = {"min_over_time": LEAST, "max_over_time": GREATEST, "sum_over_time": SUM}
_EXACT_OVER_TIME = {"min_over_time", "max_over_time", "sum_over_time", "last_over_time", "present_over_time"}
SEES_MORE = frozenset(("smoothed",))
"""What looks beyond the last sample up to an evaluation."""
_INEXACT_INSTANT = {"timestamp", *SEES_MORE}


class Layer(NamedTuple):
    """One field of one tier."""

    tier: int
    field: int


class Area(NamedTuple):
    """A stretch of time (start, end] and the layers to look into, in that order: a series is taken from the first that has it."""

    start: int
    end: int
    layers: tuple[Layer, ...]


def field_of(hints: Hints) -> int:
    """Which field of a tier makes the function round the selector come out."""
    return _FIELDS.get(hints.func, LAST) if hints.range else LAST


def exact_tier(hints: Hints, counter: bool) -> int:
    """The coarsest tier from which this query comes out as from the samples themselves; 0 where only those will do.

    An instant selector sees the last sample up to each evaluation, and so does a tier when all evaluations and the look-back end
    on its buckets. A range of whole buckets has their least, greatest, sum and last. A count or an average has no such form.
    """
    length = hints.range or hints.lookback
    if not hints.first:  # nobody said when it is evaluated: an export, a remote read
        return RAW
    if hints.range and hints.func not in _EXACT_OVER_TIME:
        return RAW
    if not hints.range and hints.func in _INEXACT_INSTANT:
        return RAW
    if counter and field_of(hints) != LAST:  # of counters only the last is kept
        return RAW
    for tier in range(len(TIER_STEPS) - 1, RAW, -1):
        if not any(number % TIER_STEPS[tier] for number in (hints.first, hints.step, length)):
            return tier
    return RAW


def areas(start: int, end: int, floors: Sequence[int], exact: int, field: int, fresh: Sequence[tuple[int, int]]) -> list[Area]:
    """How [start, end] is read. `floors`: time up to which each tier has nothing. `fresh`: rising stretches (start, end] whose
    tiers are not up to date with the samples.
    """
    found: list[Area] = []
    behind = end
    for tier in range(len(TIER_STEPS)):
        begin = max(start - 1, floors[tier])
        if begin >= behind:
            continue
        found += _of_base(begin, behind, tier, exact, field, fresh if tier == RAW else ())
        behind = begin
    return found[::-1]


def _of_base(start: int, end: int, base: int, exact: int, field: int, fresh: Sequence[tuple[int, int]]) -> list[Area]:
    """A stretch whose finest tier is `base`, newest part first; raw alone where the tiers are not up to date."""
    through = _layers(base, exact, field)
    if base != RAW or len(through) == 1:
        return [Area(start, end, through)]
    found: list[Area] = []
    only_raw = _layers(base, base, field)
    for fresh_start, fresh_end in reversed(fresh):
        if fresh_end > start and fresh_start < end:
            if fresh_end < end:
                found.append(Area(fresh_end, end, through))
            found.append(Area(max(start, fresh_start), min(end, fresh_end), only_raw))
            end = max(start, fresh_start)
    if end > start:
        found.append(Area(start, end, through))
    return found


def _layers(base: int, exact: int, field: int) -> tuple[Layer, ...]:
    """An exact tier first, then the finest there is. Where samples are gone, then the coarser ones too: a tier that was given up
    for want of room may have been the only one between.
    """
    tiers = [exact] if exact > base else []
    tiers += range(base, len(TIER_STEPS)) if base != RAW else [RAW]
    layers: list[Layer] = []
    for tier in dict.fromkeys(tiers):
        if tier != RAW and field != LAST:
            layers.append(Layer(tier, field))
        layers.append(Layer(tier, LAST))
    return tuple(layers)


def coarsest(used: Mapping[int, int], exact: int) -> tuple[int, str]:
    """Milliseconds between what is left where that is less than was asked for, 0 where it is enough, and a sentence on it.
    `used`: tiers that something was taken from, and up to when.
    """
    coarse = {tier: until for tier, until in used.items() if tier != RAW and (exact == RAW or tier > exact)}
    if not coarse:
        return 0, ""
    worst = max(coarse)
    when = datetime.datetime.fromtimestamp(coarse[worst] / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M")
    return TIER_STEPS[worst], f"before {when} UTC only one value every {TIER_NAMES[worst]} is kept"
