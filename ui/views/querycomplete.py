"""What may be written at the caret: names and values from the index at once, from the collector soon; words of the language."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from monitor.model.matchers import NAME_TAG, Matcher, Selector, promql_name
from monitor.query.complete import Expectation, expected, signature_at
from monitor.query.signatures import AGGREGATIONS, FUNCTIONS, WORDS, Signature
from ui.views.context import Context
from ui.views.format import plural, sanitise
from ui.views.queryfind import Finder, Found, Wanted
from ui.views.querytext import label_text
from ui.views.queryview import CompletionRow, CompletionView, SignatureView

MOST = 50
SAMPLE = 2_000
"""Series of the index looked through for labels and values: the collector knows the rest."""
DURATIONS = ("1m", "5m", "10m", "15m", "30m", "1h", "6h", "1d")
_UNITS = ("s", "m", "h", "d")
_DURATION_HELP = "How far each value looks back"


class Offer(NamedTuple):
    """Something to write: `text` as shown and matched, `insert` what is written, `back` how far before its end the caret goes."""

    text: str
    insert: str
    kind: str
    detail: str = ""
    help: str = ""
    back: int = 0


class Completer:
    """Offers for a text and a caret. Holds which row is chosen and whether the list was sent away."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.finder = Finder(ctx)
        self.cursor = 0
        self.chosen = False
        """A row was chosen by hand."""
        self.asked = False
        """The list was asked for by hand: it opens without a word too."""
        self._closed_at: tuple[str, int] | None = None
        self._for: tuple[str, int] = ("", 0)
        self._names: tuple[object, list[tuple[str, str]]] = (None, [])
        self._made: tuple[object, tuple[Offer, ...], Expectation, bool] = (None, (), Expectation((), 0, 0), False)

    # ------------------------------------------------------------ state

    def moved_to(self, text: str, caret: int) -> None:
        """The text or the caret has changed."""
        if (text, caret) != self._for:
            if text != self._for[0]:
                self.asked = False
            self._for, self.cursor, self.chosen, self._closed_at = (text, caret), 0, False, None

    def close(self, text: str, caret: int) -> None:
        """Send the list away until the text or the caret changes."""
        self._closed_at, self.asked = (text, caret), False

    def open(self) -> None:
        """Show the list now."""
        self._closed_at, self.asked, self.cursor = None, True, 0

    def meant(self, text: str, caret: int) -> bool:
        """Whether Enter takes the chosen offer: it was chosen by hand, or goes on with what is written."""
        offers, wanted = self.offers(text, caret)
        chosen = offers[self.cursor] if self.cursor < len(offers) else None
        return chosen is not None and (self.chosen or chosen.text.lower().startswith(wanted.word.lower()))

    def move(self, by: int, text: str, caret: int) -> None:
        self.chosen = True
        count = len(self.offers(text, caret)[0])
        self.cursor = max(0, min(count - 1, self.cursor + by))

    # ------------------------------------------------------------ offers

    def offers(self, text: str, caret: int) -> tuple[tuple[Offer, ...], Expectation]:
        """What is offered now: nothing where the list was sent away, or where nothing was begun."""
        if self._closed_at == (text, caret):
            return (), Expectation((), caret, caret)
        key = (text, caret, self.ctx.index.revision, id(self.ctx.index), self.asked, self.ctx.version)
        if self._made[0] != key:
            wanted = expected(text, caret)
            found, more = self._found(wanted, text) if self._begun(wanted) else ((), False)
            self._made = (key, found, wanted, more)
        return self._made[1], self._made[2]

    def _begun(self, wanted: Expectation) -> bool:
        at_once = {"label", "value", "duration", "grouping"}
        return bool(wanted.kinds) and (self.asked or bool(wanted.word) or bool(at_once & set(wanted.kinds)))

    def _found(self, wanted: Expectation, text: str) -> tuple[tuple[Offer, ...], bool]:
        offers: list[Offer] = []
        more = False
        for kind in wanted.kinds:
            match kind:
                case "metric":
                    names, more = self._metrics(wanted)
                    offers += names
                case "function":
                    offers += _calls(FUNCTIONS.values(), "function", text, wanted)
                case "aggregation":
                    offers += _calls(AGGREGATIONS.values(), "aggregation", text, wanted)
                case "keyword":
                    offers += [Offer(word, f"{word} ", "keyword", "", WORDS.get(word, "")) for word in wanted.words]
                case "duration":
                    offers += _durations(wanted)
                case "label" | "grouping":
                    names, more = self._labels(wanted, kind, text)
                    offers += names
                case "value":
                    names, more = self._values(wanted, text)
                    offers += names
        kept = ranked(offers, wanted.word)
        written = text[wanted.start : wanted.end]
        if not self.asked and (written in [o.insert for o in kept[:1]] or (len(kept) == 1 and kept[0].text == written)):
            return (), False
        return tuple(kept[:MOST]), more or len(kept) > MOST

    def _metrics(self, wanted: Expectation) -> tuple[list[Offer], bool]:
        index, word = self.ctx.index, wanted.word.lower()
        offers: list[Offer] = []
        here: set[str] = set()
        for name, spelled in self._spelled():
            shown = name if wanted.quote else spelled
            if word in shown.lower():
                here.add(name)
                if len(offers) < 4 * MOST:
                    infos = index.named(name)
                    unit = f", {sanitise(infos[0].unit, 16)}" if infos[0].unit else ""
                    detail = f"{infos[0].kind.name.lower()}{unit}, {plural(len(infos), 'series', 'series')}"
                    offers.append(Offer(shown, shown, "metric", detail, _sent_as(name, shown)))
        found = self.finder.find(Wanted("metrics", "", (), wanted.word))
        for name, detail in found.names if found is not None else ():
            shown = name if wanted.quote else promql_name(name)
            if name not in here and word in shown.lower():
                offers.append(Offer(shown, shown, "metric", detail, _sent_as(name, shown)))
        return offers, found is not None and found.more

    def _spelled(self) -> list[tuple[str, str]]:
        """All names of the index, each with its spelling in PromQL."""
        key = (id(self.ctx.index), self.ctx.index.revision)
        if self._names[0] != key:
            self._names = (key, [(name, promql_name(name)) for name in self.ctx.index.names()])
        return self._names[1]

    def _labels(self, wanted: Expectation, kind: str, text: str) -> tuple[list[Offer], bool]:
        counts: dict[str, int] = {}
        for tags in self._tags(wanted.selector):
            for name, _ in tags:
                counts[name] = counts.get(name, 0) + 1
        held = {m.name for m in wanted.selector if m.op == "="} if kind == "label" else set()
        found = self.finder.find(Wanted("labels", "", wanted.selector, wanted.word))
        names = [*sorted(counts, key=lambda n: (-counts[n], n)), *(_names(found))]
        followed = text[wanted.end : wanted.end + 1] in ("=", "!") or kind == "grouping" or bool(wanted.quote)
        offers = []
        for name in dict.fromkeys(names):
            if name in held or name == NAME_TAG:
                continue
            insert = name if wanted.quote else label_text(name)
            ending = "" if followed else '=""'
            detail = plural(counts[name], "series", "series") if name in counts else ""
            offers.append(Offer(name, insert + ending, "label", detail, "", 1 if ending else 0))
        return offers, found is not None and found.more

    def _values(self, wanted: Expectation, text: str) -> tuple[list[Offer], bool]:
        counts: dict[str, int] = {}
        for tags in self._tags(wanted.selector):
            value = next((v for n, v in tags if n == wanted.label), None)
            if value is not None:
                counts[value] = counts.get(value, 0) + 1
        found = self.finder.find(Wanted("values", wanted.label, wanted.selector, wanted.word))
        details = dict(found.names) if found is not None else {}
        quote = wanted.quote or '"'
        closed = bool(wanted.quote) and text[wanted.end : wanted.end + 1] == wanted.quote
        offers = []
        for value in dict.fromkeys([*sorted(counts, key=lambda v: (-counts[v], v)), *details]):
            inner = _escaped(value, quote)
            insert = inner + ("" if closed else quote) if wanted.quote else f"{quote}{inner}{quote}"
            detail = plural(counts[value], "series", "series") if value in counts else details.get(value, "")
            offers.append(Offer(sanitise(value, 120), insert, "value", detail))
        return offers, found is not None and found.more

    def _tags(self, selector: tuple[Matcher, ...]) -> Iterable[tuple[tuple[str, str], ...]]:
        infos = self.ctx.index.selected(Selector(selector))
        return (info.key.tags for info in infos[:SAMPLE])

    # ------------------------------------------------------------ taking one

    def taken(self, text: str, caret: int, row: int | None = None) -> tuple[str, int] | None:
        """The text and the caret with the chosen offer written in; None where nothing is offered."""
        offers, wanted = self.offers(text, caret)
        if not offers:
            return None
        offer = offers[self.cursor if row is None else max(0, min(row, len(offers) - 1))]
        changed = text[: wanted.start] + offer.insert + text[wanted.end :]
        place = wanted.start + len(offer.insert) - offer.back
        if offer.kind == "value" and text[wanted.end : wanted.end + 1] == wanted.quote and wanted.quote:
            place += 1  # behind the quote that stood there already
        return changed, place

    # ------------------------------------------------------------ pictures

    def view(self, text: str, caret: int) -> CompletionView | None:
        """The list as it is painted; None while there is none."""
        offers, wanted = self.offers(text, caret)
        if not offers:
            return None
        at = max(0, min(self.cursor, len(offers) - 1))
        rows = tuple(CompletionRow(sanitise(o.text, 120), o.kind, o.detail) for o in offers)
        note = f"The first {len(rows)}; write more to narrow them down." if self._made[3] else ""
        return CompletionView(rows, at, wanted.start, offers[at].help, note)


def signature_view(text: str, caret: int) -> SignatureView | None:
    """The call the caret is among the arguments of."""
    place = signature_at(text, caret)
    if place is None:
        return None
    whole = str(place.signature)
    inner = whole[len(place.signature.name) + 1 : -1]
    parts = inner.split(", ") if inner else []
    if not parts:
        return SignatureView(whole, "", "", place.signature.help)
    at = min(place.argument, len(parts) - 1)
    before = f"{place.signature.name}({''.join(f'{p}, ' for p in parts[:at])}"
    after = "".join(f", {p}" for p in parts[at + 1 :]) + ")"
    return SignatureView(before, parts[at], after, place.signature.help)


def ranked(offers: list[Offer], word: str) -> list[Offer]:
    """Offers that contain the word: those that are it first, then those that begin with it, then those a part of which does."""
    folded = word.lower()
    if not folded:
        return offers
    kept = [offer for offer in offers if folded in offer.text.lower()]
    return sorted(kept, key=lambda offer: _closeness(offer.text.lower(), folded))


def _closeness(text: str, word: str) -> int:
    if text == word:
        return 0
    if text.startswith(word):
        return 1
    return 2 if any(f"{mark}{word}" in text for mark in "_.:-") else 3


def _calls(signatures: Iterable[Signature], kind: str, text: str, wanted: Expectation) -> list[Offer]:
    called = text[wanted.end : wanted.end + 1] == "("
    offers = []
    for signature in signatures:
        name = signature.name
        empty = not signature.types
        insert = name if called else f"{name}()"
        offers.append(Offer(name, insert, kind, str(signature), signature.help, 0 if called or empty else 1))
    return offers


def _durations(wanted: Expectation) -> list[Offer]:
    digits = wanted.word.rstrip("smhdwy")
    lengths = [f"{digits}{unit}" for unit in _UNITS] if digits.isdigit() else list(DURATIONS)
    offers = [Offer(length, length, "duration", "", f"{_DURATION_HELP}: {length}.") for length in lengths]
    return offers + [Offer(word, word, "duration", "", "Of the query itself") for word in wanted.words]


def _names(found: Found | None) -> list[str]:
    return [name for name, _ in found.names] if found is not None else []


def _sent_as(name: str, shown: str) -> str:
    return f"Sent as {sanitise(name, 120)}." if name != shown else ""


def _escaped(value: str, quote: str) -> str:
    if quote == "`":
        return value
    inner = json.dumps(value, ensure_ascii=False)[1:-1]
    return inner if quote == '"' else inner.replace('\\"', '"').replace("'", "\\'")
