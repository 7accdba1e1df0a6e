"""What a key or a click means: typing goes into the field that has the focus, everything else is an action of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.terminal.canvas import Hit
from ui.terminal.keys import is_text
from ui.terminal.stage import Memory

if TYPE_CHECKING:
    from ui.views.session import Session

_LIST_KEYS = ("up", "down", "pageup", "pagedown")
_SCROLL = {"up": -1, "down": 1, "j": 1, "k": -1, "pageup": -10, "pagedown": 10, "home": -10_000, "end": 10_000}


class Controller:
    """Translates input into calls of the session. Holds no state but the carets in `memory`."""

    def __init__(self, session: Session, memory: Memory) -> None:
        self._session = session
        self._memory = memory

    @property
    def field(self) -> str:
        """The field typing goes to; "" when there is none or the text area takes it."""
        focus = self._session.picture().frame.focus
        self._memory.take_focus(focus)
        return "" if focus == "rule" else focus

    def key(self, key: str, character: str | None) -> bool:
        """A key in neutral spelling; False when it means nothing here."""
        picture = self._session.picture()
        if picture.help is not None and key in _SCROLL:
            self._memory.first["help"] = max(0, self._memory.first.get("help", 0) + _SCROLL[key])
            return True
        field = self.field
        if not field:
            return self._session.key(key)
        return self._type(field, key, character)

    def _type(self, field: str, key: str, character: str | None) -> bool:
        if key == "enter":
            self._session.submit(field)
            return True
        if field == "silence.end":
            if key == "space":
                draft = self._draft_ends()
                self._session.set_flag("silence.end_when_resolved", not draft)
                return True
            return self._session.key(key, typing=True)
        edit = self._memory.field(field)
        if key in _LIST_KEYS and field in ("palette", "search", "filter"):
            return self._session.key(key, typing=True)
        text = character if is_text(key, character) else None
        before = edit.text
        if (edit.insert(text) if text is not None else edit.key(key)) or edit.text != before:
            if edit.text != before:
                self._session.set_text(field, edit.text, edit.caret)
            return True
        return self._session.key(key, typing=True)

    def _draft_ends(self) -> bool:
        alerts = self._session.picture().alerts
        return bool(alerts is not None and alerts.draft is not None and alerts.draft.end_when_resolved)

    def insert(self, text: str) -> None:
        """Paste into the field that has the focus."""
        field = self.field
        if field and field != "silence.end":
            edit = self._memory.field(field)
            if edit.insert(text.strip("\r\n")):
                self._session.set_text(field, edit.text, edit.caret)

    def press(self, hit: Hit, twice: bool) -> None:
        """A click on what was painted: an action, a row, a choice or a field."""
        if hit.kind == "action":
            self._session.perform(hit.name)
        elif hit.kind == "choose":
            self._session.choose(hit.name, hit.value)
        elif hit.kind == "row":
            if twice or hit.name == "palette":
                self._session.open(hit.name, hit.index)
            else:
                self._session.point(hit.name, hit.index)
        elif hit.kind == "field":
            self._press_field(hit.name)

    def _press_field(self, name: str) -> None:
        if name == "silence.end":
            self._session.set_flag("silence.end_when_resolved", not self._draft_ends())
        self._session.point(name, 0)
