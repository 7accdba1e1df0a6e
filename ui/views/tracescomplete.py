"""What may be written in the search for traces and logs: terms, services and operations that the collector knows."""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.wire import messages as m
from ui.views.context import Context
from ui.views.filter import FilterError
from ui.views.format import plural
from ui.views.queryview import CompletionRow, CompletionView
from ui.views.tracesask import Asking
from ui.views.tracesfilter import LEVELS, OPERATION, SERVICE, parse_traces, written
from ui.views.tracesview import Kind
from ui.views.traceswords import Colours, name_of, operation_of

MOST = 40
LIMIT = 1_000
PACE = 60.0
"""Seconds after which the services are asked for anew."""
_LAST = re.compile(r"""(?:[^\s"']|"[^"]*"?|'[^']*'?)*$""")
_TERMS: dict[Kind, tuple[tuple[str, str, str], ...]] = {
    "Traces": (
        ("service:", "service:", "spans of a service"),
        ("op:", "op:", "spans of an operation"),
        (">500ms", ">", "longer than"),
        ("<2s", "<", "shorter than"),
        ("error", "error ", "spans that failed"),
        ("http.route=", "http.route=", "any attribute, = != =~ !~ or : for a part of it"),
    ),
    "Logs": (
        ("service:", "service:", "logs of a service"),
        ("level>=warn", "level>=", "at least so severe"),
        ("trace:", "trace:", "logs of one trace, by its id"),
        ("http.route=", "http.route=", "any attribute, = != =~ !~ or : for a part of it"),
    ),
}


class Offer(NamedTuple):
    """`text` as shown, `insert` what is written in place of the word at the caret."""

    text: str
    insert: str
    kind: str
    detail: str


class Completer:
    """Offers for a text and a caret, and which of them is chosen."""

    def __init__(self, ctx: Context, colours: Colours) -> None:
        self.ctx, self.colours = ctx, colours
        self.asking: Asking[m.ServicesFound] = Asking(ctx, m.ServicesFound)
        self.cursor = 0
        self.by_hand = False
        """A row was chosen by hand, so Enter takes it."""
        self.closed = False
        self.asked = False
        """The list was asked for by hand: it opens on an empty field too."""
        self.caret = 0
        self._made: tuple[object, tuple[Offer, ...], int] = (None, (), 0)

    def ask(self) -> None:
        """Keep services and operations at hand."""
        self.asking.want(int(self.ctx.now() // PACE), m.GetServices(0, "", LIMIT))
        if self.asking.answer is not None:
            self.colours.learn(one.service for one in self.asking.answer.services)

    @property
    def services(self) -> tuple[m.ServiceOperations, ...]:
        return self.asking.answer.services if self.asking.answer is not None else ()

    def typed(self, caret: int) -> None:
        """The text or the caret has changed."""
        self.caret, self.cursor, self.by_hand, self.closed = caret, 0, False, False

    def open(self) -> None:
        """Show the list now."""
        self.asked, self.closed = True, False

    def close(self) -> None:
        """Send it away until something is typed."""
        self.closed, self.asked = True, False

    def move(self, by: int, count: int) -> None:
        self.cursor = max(0, min(count - 1, self.cursor + by))
        self.by_hand = True

    def offers(self, text: str, kind: Kind) -> tuple[tuple[Offer, ...], int]:
        """What may be written at the caret, and where the word begins that it replaces."""
        if self.closed:
            return (), 0
        key = (text, self.caret, kind, self.asking.number, self.asked)
        if self._made[0] != key:
            self._made = (key, *self._find(text, min(self.caret, len(text)), kind))
        return self._made[1], self._made[2]

    def _find(self, text: str, caret: int, kind: Kind) -> tuple[tuple[Offer, ...], int]:
        found = _LAST.search(text[:caret])
        start = found.start() if found is not None else caret
        word = text[start:caret]
        name, sign, value = _split(word)
        if sign and name in SERVICE:
            offers = [self._service(one, word[: len(name) + 1]) for one in self.services]
        elif sign and name in OPERATION and kind == "Traces":
            offers = self._operations(text, start, name)
        elif sign and name in ("level", "severity"):
            offers = [Offer(level, f"{name}>={level} ", "keyword", "") for level in LEVELS if level in _OWN_LEVELS]
        elif sign or not (word or self.asked):
            return (), start
        else:
            offers = [Offer(shown, insert, "keyword", detail) for shown, insert, detail in _TERMS[kind]]
            offers += [self._service(one, "service:") for one in self.services]
            value = word
        wanted = value.strip("\"'<>=").lower()
        kept = [offer for offer in offers if wanted in offer.text.lower()]
        kept.sort(key=lambda offer: not offer.text.lower().startswith(wanted))
        if len(kept) == 1 and kept[0].insert.strip() == word and not self.asked:
            return (), start
        return tuple(kept[:MOST]), start

    def _service(self, one: m.ServiceOperations, term: str) -> Offer:
        detail = ", ".join(
            part for part in (plural(one.spans, "span") if one.spans else "", plural(one.logs, "log") if one.logs else "") if part
        )
        key = term.rstrip(":=")
        return Offer(name_of(one.service), f"{written(key, one.service)} ", "label", detail)

    def _operations(self, text: str, start: int, name: str) -> list[Offer]:
        """Those of the service that is searched for, else of all."""
        try:
            service = parse_traces(text[:start]).service
        except FilterError:
            service = ""
        return [
            Offer(operation_of(operation), f"{written(name, operation)} ", "value", name_of(one.service))
            for one in self.services
            if service in ("", one.service)
            for operation in one.operations
        ]

    def view(self, text: str, kind: Kind) -> CompletionView | None:
        """The list; None where there is nothing to offer."""
        offers, start = self.offers(text, kind)
        if not offers:
            return None
        rows = tuple(CompletionRow(offer.text, offer.kind, offer.detail) for offer in offers)
        return CompletionView(rows, min(self.cursor, len(rows) - 1), start)

    def take(self, text: str, kind: Kind, index: int | None = None) -> str | None:
        """The text with an offer in it (the chosen one where none is named); None where there is none."""
        offers, start = self.offers(text, kind)
        at = self.cursor if index is None else index
        if not 0 <= at < len(offers):
            return None
        insert = offers[at].insert
        rest = text[min(self.caret, len(text)) :]
        if insert.endswith(" ") and rest.startswith(" "):
            rest = rest[1:]
        self.typed(start + len(insert))
        self.asked = False
        self.closed = insert.endswith(" ")
        return text[:start] + insert + rest


_OWN_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")


def _split(word: str) -> tuple[str, str, str]:
    """`service:ca` is service, :, ca."""
    found = re.match(r"([A-Za-z_][\w.\-/]*)(>=|<=|:|=|>|<)(.*)", word)
    return (found[1].lower(), found[2], found[3]) if found is not None else ("", "", word)
