"""What a back-test says: when a rule would have fired, for how long, how noisily."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from monitor.alerting.backtest.life import Life

MAX_FIRED = 1000
FLAP = 900.0
"""An alert that fires again within so many seconds of its end flaps."""
Pairs = tuple[tuple[str, str], ...]


class Fired(msgspec.Struct, frozen=True):
    """One span in which one alert would have fired; `end` None: it still does. Seconds since the epoch."""

    labels: Pairs
    start: float
    end: float | None


class Backtest(msgspec.Struct, frozen=True):
    """A rule over [start, end], judged every `step` seconds. `series`: how many it watched.

    `firings` in all, of so many `alerts`; `flaps`: how many of them began within 15 minutes of the same alert's end. `seconds`:
    how long they fired, added up, `covered`: how long at least one did. `notified`: what would have been told, each alert by
    itself (grouping and silences are not part of a rule). `fired`: the newest, oldest first; `more` are left out. `notes`: what
    is to be known of the answer, in sentences.
    """

    rule: str
    start: float
    end: float
    step: float
    series: int
    firings: int = 0
    alerts: int = 0
    flaps: int = 0
    seconds: float = 0.0
    covered: float = 0.0
    longest: float = 0.0
    notified: int = 0
    fired: tuple[Fired, ...] = ()
    more: int = 0
    notes: tuple[str, ...] = ()


def told(
    life: Life, span: tuple[float, float, float], series: int, labels: Callable[[int], Pairs], notes: Sequence[str]
) -> Backtest:
    """The outcome. `span`: start, end and step; `labels` of a place, as its alert has them."""
    start, end, step = span
    still = life.still()
    spans = sorted(
        [*((begin, until, place) for place, begin, until in life.firings), *((begin, end, place) for place, begin in still)]
    )
    open_ = {(place, begin) for place, begin in still}
    flaps, ended = 0, dict[int, float]()
    covered, reached = 0.0, start
    for begin, until, place in spans:
        flaps += place in ended and begin - ended[place] < FLAP
        ended[place] = until
        covered += max(0.0, until - max(begin, reached))
        reached = max(reached, until)
    shown = spans[-MAX_FIRED:]
    if life.refused:
        notes = [*notes, f"More series met the condition than the {life._limit:,} alerts a rule may have; narrow the selector."]
    return Backtest(
        rule=life.rule.id,
        start=start,
        end=end,
        step=step,
        series=series,
        firings=len(spans),
        alerts=len(ended),
        flaps=flaps,
        seconds=sum(until - begin for begin, until, _ in spans),
        covered=covered,
        longest=max((until - begin for begin, until, _ in spans), default=0.0),
        notified=life.notified,
        fired=tuple(Fired(labels(place), begin, None if (place, begin) in open_ else until) for begin, until, place in shown),
        more=len(spans) - len(shown),
        notes=tuple(notes),
    )
