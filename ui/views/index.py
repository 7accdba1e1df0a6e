"""The series as a user interface looks for them: by name, by words, quickly."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.model.matchers import NAME_TAG, Matcher, Selector, promql_name
from monitor.model.series import SeriesInfo, SeriesKey, Tags
from ui.client.mirror import Mirror
from ui.views.filter import Filter
from ui.views.format import sanitise

OWN = ("host.", "lightship.", "lightship_", "host_")
"""Names of this machine and of the collector itself; everything else is what people send."""

MANY = 1_000
"""Changes at once beyond which the index is made anew."""
NONE: frozenset[tuple[str, str]] = frozenset()
WHERE = ("service", "host", "instance", "job")


@dataclass(frozen=True, slots=True)
class Entry:
    """One series; `haystack` is all of its text in lower case."""

    haystack: str
    info: SeriesInfo

    def lookup(self, key: str) -> str | None:
        """The value of a filter's key: name, kind, unit or a tag's name."""
        for name, found in self.info.key.tags:
            if name == key:
                return found
        match key:
            case "name" | "__name__":
                return self.info.key.name
            case "kind":
                return self.info.kind.name.lower()
            case "unit":
                return self.info.unit
        return None


class SeriesIndex:
    """Follows the mirror's series; searching 10,000 of them takes a few milliseconds."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._revision = -1
        self._held: dict[int, SeriesInfo] = {}
        self._entries: list[Entry] = []
        self._by_name: dict[str, list[SeriesInfo]] = {}
        self._found: tuple[object, list[SeriesInfo]] = (None, [])
        self._programs = 0
        self._shared: dict[str, frozenset[tuple[str, str]]] = {}
        """Tags that all series of a name have."""

    @property
    def revision(self) -> int:
        return self._mirror.series_revision

    def __len__(self) -> int:
        return len(self._mirror.series)

    @property
    def programs(self) -> int:
        """How many series people's programs sent."""
        self._refresh()
        return self._programs

    def named(self, name: str) -> Sequence[SeriesInfo]:
        """All series of a name, by tags."""
        self._refresh()
        return self._by_name.get(name, ())

    def names(self) -> Sequence[str]:
        """All names, sorted."""
        self._refresh()
        return list(self._by_name)

    def search(self, wanted: Filter) -> list[SeriesInfo]:
        """Series the filter lets pass, by name and tags; what starts with the first word comes first."""
        self._refresh()
        if self._found[0] == (self._revision, wanted):
            return self._found[1]
        found = [e for e in self._entries if wanted.matches(e.haystack, e.lookup)] if wanted else self._entries
        first = next((t.value for t in wanted.words if not t.negated), "")
        if first:
            found = sorted(found, key=lambda e: _closeness(e.haystack, first))
        result = [e.info for e in found]
        self._found = ((self._revision, wanted), result)
        return result

    def selected(self, selector: Selector) -> list[SeriesInfo]:
        """All series a selector means, by name and tags."""
        self._refresh()
        name = next((m.value for m in selector.matchers if m.name == NAME_TAG and m.op == "="), "")
        if not name:
            return [e.info for e in self._entries if selector.matches(e.info.key)]
        names = [n for n in self._by_name if name in (n, promql_name(n))]
        return [i for n in names for i in self._by_name[n] if selector.matches(i.key)]

    def selector(self, info: SeriesInfo) -> Selector:
        """The selector of exactly this series: tags that only its namesakes have must be absent."""
        have = dict(info.key.tags)
        others = {name for other in self.named(info.key.name)[:512] for name, _ in other.key.tags} - set(have)
        exact = [Matcher(NAME_TAG, "=", info.key.name), *(Matcher(n, "=", v) for n, v in info.key.tags)]
        return Selector((*exact, *(Matcher(n, "=", "") for n in sorted(others)[:16])))

    def tags_text(self, info: SeriesInfo) -> str:
        """Its tags for people: those that tell it from its namesakes first, so that cutting the end loses nothing."""
        self._refresh()
        name = info.key.name
        shared = self._shared.get(name)
        if shared is None:
            namesakes = self._by_name.get(name, ())[:512]
            shared = self._shared[name] = (
                frozenset.intersection(*(frozenset(i.key.tags) for i in namesakes)) if namesakes else NONE
            )
        return tags_text(info.key, shared)

    def _refresh(self) -> None:
        if self._revision == self._mirror.series_revision:
            return
        self._revision = self._mirror.series_revision
        self._shared.clear()
        now, held = self._mirror.series, self._held
        gone = [info for row, info in held.items() if now.get(row) is not info]
        new = [info for row, info in now.items() if held.get(row) is not info]
        if len(gone) + len(new) > MANY:
            gone, new = [], list(now.values())
            self._entries, self._by_name, self._programs = [], {}, 0
        for info in gone:
            self._remove(info)
        for info in new:
            self._by_name.setdefault(info.key.name, []).append(info)
            self._programs += is_program(info)
        for name in {info.key.name for info in new}:
            self._by_name[name].sort(key=_key)
        self._entries.extend(Entry(_haystack(info.key), info) for info in new)
        if new:
            self._entries.sort(key=_entry_key)  # quick: all but the new ones are in order already
        self._held = dict(now)

    def _remove(self, info: SeriesInfo) -> None:
        at = bisect_left(self._entries, info.key, key=_entry_key)
        while self._entries[at].info is not info:
            at += 1
        del self._entries[at]
        named = self._by_name[info.key.name]
        named.remove(info)
        if not named:
            del self._by_name[info.key.name]
        self._programs -= is_program(info)


def _key(info: SeriesInfo) -> SeriesKey:
    return info.key


def _entry_key(entry: Entry) -> SeriesKey:
    return entry.info.key


def _closeness(haystack: str, word: str) -> int:
    return 0 if haystack.startswith(word) else 1 if f".{word}" in haystack or f"_{word}" in haystack else 2


def _haystack(key: SeriesKey) -> str:
    return " ".join((key.name, *(f"{name}={value}" for name, value in key.tags))).lower()


def tags_text(key: SeriesKey, shared: frozenset[tuple[str, str]] = NONE) -> str:
    """`service=edge, env=prod`: tags for people, those in `shared` last, those that say where first, harmless."""
    ordered = sorted(where_first(key.tags), key=lambda tag: tag in shared)
    return ", ".join(f"{sanitise(name, 64)}={sanitise(value, 96)}" for name, value in ordered)


def where_first(tags: Tags) -> list[tuple[str, str]]:
    """Tags with those that say where first; the others keep their order."""
    return sorted(tags, key=lambda tag: WHERE.index(tag[0]) if tag[0] in WHERE else len(WHERE))


def is_program(info: SeriesInfo) -> bool:
    """Whether a series was sent by somebody's program."""
    return not info.key.name.startswith(OWN)


def line_name(key: SeriesKey, among: Sequence[SeriesKey]) -> str:
    """What tells a series from its neighbours: the tags that differ, or its name."""
    if len({other.name for other in among}) > 1:
        return sanitise(key.label(), 48)
    shared = set(among[0].tags) if among else set()
    for other in among[1:]:
        shared &= set(other.tags)
    differing = [v for n, v in key.tags if (n, v) not in shared] if len(among) > 1 else []
    return sanitise(", ".join(differing) or key.name, 48)
