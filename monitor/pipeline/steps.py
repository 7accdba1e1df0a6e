"""Steps over a series' name and tags, as settings write them: `{"set": {"env": "prod"}, "where": "{service=\"api\"}"}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.model.matchers import Selector, SelectorError, parse_selector
from monitor.model.series import MAX_TAG_KEY, MAX_TAG_VALUE, SeriesKey

EVERYTHING = Selector()
ACTIONS = ("add", "set", "rename", "remove", "drop", "thin")


class StepError(ValueError):
    """A step that cannot be read; the message says which, why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to every series that `where` selects.

    `add`: tags it gets where it has none of that name; `set`: tags whatever it had; `rename`: tags by their old name; `remove`:
    names of tags that go; `drop`: the series goes; `thin`: of its increments and observations the part `share` is taken, each
    standing for those left out. A renamed tag replaces one that has the new name already.
    """

    action: str
    where: Selector = EVERYTHING
    pairs: tuple[tuple[str, str], ...] = ()
    share: float = 1.0

    def selects(self, name: str, tags: dict[str, str]) -> bool:
        """Whether it is for a series of these tags."""
        return not self.where.matchers or self.where.matches(SeriesKey(name, tuple(tags.items())))

    def applied(self, name: str, tags: dict[str, str]) -> bool:
        """Changes `tags`; false where the series is dropped."""
        if not self.selects(name, tags):
            return True
        if self.action == "drop":
            return False
        for one, other in self.pairs:
            if self.action == "add":
                tags.setdefault(one, other)
            elif self.action == "set":
                tags[one] = other
            elif one in tags:
                value = tags.pop(one)
                if self.action == "rename":
                    tags[other] = value
        return True


def read_steps(entries: list[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Steps in their order. Raises `StepError`."""
    return tuple(_read(number, entry) for number, entry in enumerate(entries, 1))


def _read(number: int, entry: Mapping[str, Any]) -> Step:
    actions = [action for action in ACTIONS if action in entry]
    if len(actions) != 1 or set(entry) - {*actions, "where"}:
        raise StepError(f"step {number}: a step has one of {', '.join(ACTIONS)}, and may have where; this has {', '.join(entry)}")
    action, what = actions[0], entry[actions[0]]
    if action == "drop":
        if "where" in entry:
            raise StepError(f"step {number}: drop is itself the selector of what goes; leave out where")
        return Step("drop", _selector(number, "drop", what))
    where = _selector(number, "where", entry.get("where", "{}"))
    if action == "thin":
        return Step("thin", where, share=_share(number, what))
    return Step(action, where, _pairs(number, action, what))


def _selector(number: int, key: str, text: Any) -> Selector:
    try:
        selector = parse_selector(text) if isinstance(text, str) else None
    except SelectorError as error:
        raise StepError(f"step {number}: {key}: {error} (column {error.column})") from None
    if selector is None or (key == "drop" and not selector.matchers):
        raise StepError(f'step {number}: {key} is a selector as in name{{tag="value"}}')
    return selector


def _share(number: int, what: Any) -> float:
    if isinstance(what, int | float) and not isinstance(what, bool) and 0.0 < what <= 1.0:
        return float(what)
    raise StepError(f"step {number}: thin is the share that is taken, above 0 and at most 1; this is {what!r}")


def _pairs(number: int, action: str, what: Any) -> tuple[tuple[str, str], ...]:
    if action == "remove":
        names = [what] if isinstance(what, str) else what
        if isinstance(names, list | tuple) and names and all(isinstance(name, str) and name for name in names):
            return tuple((name, "") for name in names)
        raise StepError(f'step {number}: remove is a list of names of tags, as in ["pod_uid"]')
    if not isinstance(what, Mapping) or not what:
        raise StepError(f'step {number}: {action} is a table, as in {{ environment = "production" }}')
    longest = MAX_TAG_KEY if action == "rename" else MAX_TAG_VALUE
    for one, other in what.items():
        if not (isinstance(one, str) and isinstance(other, str) and 0 < len(one) <= MAX_TAG_KEY and 0 < len(other) <= longest):
            raise StepError(f"step {number}: {action}: names and values are texts of 1 to {MAX_TAG_KEY} and {longest} characters")
    return tuple(what.items())
