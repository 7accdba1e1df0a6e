"""What the collector answered to queries: asked for when it is to be shown, one question at a time, the newest answer kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from monitor.wire import messages as m
from ui.client.line import Answer
from ui.views.context import Context
from ui.views.format import sanitise
from ui.views.lines import Track
from ui.views.querytext import offset_of, problem_at
from ui.views.view import Floats, ProblemRow

LIMIT = 400
"""Series of an answer at most: the largest eight are lines, the rest an envelope and rows of a table."""
PATIENCE = 5.0
"""Seconds after which another text is asked for although the last question is not answered."""
GIVE_UP = 150.0
"""Seconds after which a question counts as lost: the collector itself gives up earlier."""
FORGET = 60.0
SHARE = 10.0
"""A live question rests for so many times as long as its answer took: at most a tenth of the collector's time is spent on it."""
LIVE_PACE = 30.0
"""Seconds between two askings at most while the view is live, however long the steps."""

Labels = tuple[tuple[str, str], ...]


class Question(NamedTuple):
    """`step` 0: the values at `end` alone. `turn` makes another question of the same span: what came late is asked for too."""

    text: str
    start: float
    end: float
    step: float
    turn: int = 0

    @property
    def width(self) -> float:
        """Seconds that it spans."""
        return self.end - self.start


@dataclass(eq=False)
class Held:
    """An answer, or the error in its place; `took` seconds, there since `at`. `number` tells one answer from the next."""

    question: Question
    result: m.QueryResult | None
    took: float
    number: int
    error: str = ""
    at: float = 0.0
    problem: ProblemRow | None = None
    rows: Floats = field(default_factory=lambda: np.empty((0, 0)))
    """float64 [S, T]."""
    tracks: dict[object, tuple[Track, ...]] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[Labels, ...]:
        return self.result.labels if self.result is not None else ()

    @property
    def times(self) -> Floats:
        return self.result.times if self.result is not None else np.empty(0)


@dataclass
class _Place:
    """One place that asks: a query's lines, or its values at a moment."""

    held: Held | None = None
    asked: Question | None = None
    since: float = 0.0
    used: float = 0.0
    generation: int = 0


class QueryAnswers:
    """Answers by place. A place has one question under way; what comes of an older one never takes a newer one's place."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._places: dict[tuple[int, str], _Place] = {}
        self._numbers = 0

    def want(self, place: tuple[int, str], question: Question) -> Held | None:
        """The newest answer there is at this place, the question asked where it is another one; None before the first."""
        now = self.ctx.now()
        here = self._places.setdefault(place, _Place())
        here.used = now
        self._forget(now)
        if here.held is not None and here.held.question == question:
            return here.held
        if here.held is not None and self._soon_enough(here.held, question, now):
            return here.held
        if here.held is not None and not self.ctx.live.mirror.connected:
            return here.held  # what was there stays in sight; it is dated by the chart's own end
        waited = now - here.since
        busy = here.asked is not None and 0.0 <= waited < GIVE_UP
        if busy and here.asked is not None and (here.asked.text == question.text or waited < PATIENCE):
            return here.held
        self._ask(here, question, now)
        return here.held

    @staticmethod
    def _soon_enough(held: Held, question: Question, now: float) -> bool:
        """Whether the same question a moment later can wait: a dear answer is asked for less often."""
        same = (held.question.text, held.question.step, held.question.width) == (question.text, question.step, question.width)
        rest = SHARE * held.took
        later = question.end - held.question.end
        return same and not held.error and 0.0 <= now - held.at < rest and 0.0 <= later <= rest + question.step

    def waiting(self, place: tuple[int, str]) -> bool:
        """Whether an answer is under way to a place that shows none of this question yet."""
        here = self._places.get(place)
        return here is not None and here.asked is not None

    def waited(self, place: tuple[int, str]) -> float:
        """For how many seconds a place has waited."""
        here = self._places.get(place)
        return self.ctx.now() - here.since if here is not None and here.asked is not None else 0.0

    def drop(self, slot: int) -> None:
        """A query is gone: what was asked for it is not wanted any more."""
        for place in [p for p in self._places if p[0] == slot]:
            self._places.pop(place).generation = -1

    def _forget(self, now: float) -> None:
        for place in [p for p, here in self._places.items() if not 0.0 <= now - here.used < FORGET]:
            self._places.pop(place).generation = -1

    def _ask(self, here: _Place, question: Question, now: float) -> None:
        here.asked, here.since = question, now
        here.generation += 1
        generation = here.generation
        request = m.Query(0, question.text, question.start, question.end, question.step, LIMIT)

        def answer(reply: Answer) -> None:
            if here.generation != generation:
                return
            here.asked = None
            self._numbers += 1
            here.held = held_of(question, reply, max(0.0, self.ctx.now() - now), self._numbers)
            here.held.at = self.ctx.now()
            self.ctx.version += 1

        self.ctx.send(request, answer)


def held_of(question: Question, reply: Answer, took: float, number: int) -> Held:
    """An answer as it is kept; one whose columns do not fit its labels is an error."""
    if isinstance(reply, m.QueryResult):
        shape = (len(reply.labels), len(reply.times))
        if reply.values.size != shape[0] * shape[1]:
            return Held(question, None, took, number, "The collector's answer cannot be read: its columns do not fit.")
        return Held(question, reply, took, number, rows=reply.values.reshape(shape))
    error = getattr(reply, "error", "") or "The collector did not answer this."
    place = getattr(reply, "result", None)
    plain = plain_error(error)
    return Held(question, None, took, number, plain, problem=_problem(question.text, plain, place))


def plain_error(error: str) -> str:
    """The collector's words as a sentence."""
    text = sanitise(error, 400).strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _problem(text: str, sentence: str, place: Any) -> ProblemRow | None:
    """Where in the text the collector says it is. Its fix is left out: what can be corrected was offered in the editor."""
    if not isinstance(place, dict):
        return None
    try:
        line, column, end = (int(place.get(key, 0) or 0) for key in ("line", "column", "end"))
    except (TypeError, ValueError):
        return None
    if line < 1 or column < 1:
        return None
    start = offset_of(text, line, column)
    return problem_at(text, start, offset_of(text, line, end) if end > column else start + 1, sentence)
