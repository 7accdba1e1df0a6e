"""Every key and what it does, this page first: made from the one table of actions."""

from __future__ import annotations

from ui.views.actions import ACTIONS, Action
from ui.views.view import HelpView, KeyHint, Page

NAMES: dict[Page, str] = {
    "overview": "Overview",
    "explore": "Explore",
    "topology": "Topology",
    "alerts": "Alerts",
    "rules": "Rules",
    "traces": "Traces & logs",
}
CAPS = {
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "delete": "Del",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}
PARTS = {"ctrl": "Ctrl", "shift": "Shift", "alt": "Alt"}


def key_words(key: str) -> str:
    """`ctrl+k` is `Ctrl K`, `space` `Space`, `a` `A`."""
    if len(key) == 1:
        return key.upper()
    *modifiers, last = key.split("+")
    return " ".join(
        (*(PARTS.get(m, m.title()) for m in modifiers), CAPS.get(last, last.upper() if len(last) == 1 else last.title()))
    )


def keys_words(action: Action) -> str:
    """All keys of an action: `J, ↓`."""
    return ", ".join(key_words(k) for k in action.keys)


def help_view(page: Page) -> HelpView:
    """The keys of this page, then those that hold everywhere, by section."""
    sections: dict[str, list[tuple[str, str, str]]] = {}
    ordered = [a for a in ACTIONS if page in a.pages] + [a for a in ACTIONS if not a.pages]
    for action in ordered:
        if action.keys:
            sections.setdefault(action.section, []).append((keys_words(action), action.title, action.help))
    return HelpView(NAMES[page], tuple((name, tuple(rows)) for name, rows in sections.items()))


def hints(page: Page, on: frozenset[str]) -> tuple[KeyHint, ...]:
    """The key row: what is on here and has short words, the page's own first."""
    own = [a for a in ACTIONS if page in a.pages and a.hint and a.name in on]
    general = [a for a in ACTIONS if not a.pages and a.hint and a.name in on]
    return tuple(KeyHint(key_words(a.keys[0]), a.hint, a.name) for a in (*own, *general) if a.keys)
