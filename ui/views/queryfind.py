"""What the collector knows of names and values: asked for while somebody types, remembered, the newest word winning."""

from __future__ import annotations

from typing import NamedTuple

from monitor.model.matchers import Matcher, Selector
from monitor.wire import messages as m
from ui.client.line import Answer
from ui.views.context import Context
from ui.views.format import MAX_TEXT, sanitise

FRESH = 30.0
"""Seconds for which an answer stands."""
MOST = 256
LIMIT = 60
GIVE_UP = 10.0


class Wanted(NamedTuple):
    """`what`: metrics, labels or values (of `label`), among the series of `selector`, containing `text`."""

    what: str
    label: str
    selector: tuple[Matcher, ...]
    text: str


class Found(NamedTuple):
    """(name, detail) in the collector's order; `more`: there are others."""

    names: tuple[tuple[str, str], ...]
    more: bool
    at: float


class Finder:
    """One question under way; what is wanted meanwhile is asked when it is answered, and only the last of it."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._held: dict[Wanted, Found] = {}
        self._asked: tuple[Wanted, float] | None = None
        self._next: Wanted | None = None

    def find(self, wanted: Wanted) -> Found | None:
        """What is known; None until the collector has said. A shorter text whose answer was whole serves a longer one too."""
        now = self.ctx.now()
        held = self._held.get(wanted)
        if held is not None and 0.0 <= now - held.at < FRESH:
            return held
        known = held or self._from_shorter(wanted)
        if known is not None and not known.more and known is not held and 0.0 <= now - known.at < FRESH:
            return known
        self._want(wanted, now)
        return known

    def _from_shorter(self, wanted: Wanted) -> Found | None:
        for cut in range(len(wanted.text) - 1, -1, -1):
            held = self._held.get(wanted._replace(text=wanted.text[:cut]))
            if held is not None:
                folded = wanted.text.lower()
                return held._replace(names=tuple(n for n in held.names if folded in n[0].lower()))
        return None

    def _want(self, wanted: Wanted, now: float) -> None:
        if self._asked is not None and 0.0 <= now - self._asked[1] < GIVE_UP:
            self._next = wanted if wanted != self._asked[0] else None
            return
        if not self.ctx.mirror.connected and not self.ctx.rewound:
            return
        self._ask(wanted, now)

    def _ask(self, wanted: Wanted, now: float) -> None:
        self._asked, self._next = (wanted, now), None
        request = m.Find(0, wanted.what, wanted.label, str(Selector(wanted.selector)), wanted.text, LIMIT)

        def answer(reply: Answer) -> None:
            self._held[wanted] = found_in(reply, self.ctx.now())
            while len(self._held) > MOST:
                self._held.pop(next(iter(self._held)))
            self.ctx.version += 1
            if self._asked is not None and self._asked[0] == wanted:
                following, self._asked, self._next = self._next, None, None
                if following is not None:
                    self._ask(following, self.ctx.now())

        self.ctx.send(request, answer)


def found_in(reply: Answer, now: float) -> Found:
    """The names of an answer; none of one that cannot be read or is an error."""
    result = reply.result if isinstance(reply, m.Reply) and not reply.error else None
    rows = result.get("found") if isinstance(result, dict) else None
    entries = [r for r in rows if isinstance(r, dict) and _is_name(r.get("name"))] if isinstance(rows, list | tuple) else []
    names = tuple((row["name"], sanitise(str(row.get("detail") or ""), 80)) for row in entries[:LIMIT])
    return Found(names, bool(isinstance(result, dict) and result.get("more")), now)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= MAX_TEXT
