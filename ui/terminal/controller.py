"""What a key or a click means: typing goes into the field that has the focus, everything else is an action of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.terminal.canvas import Hit
from ui.terminal.fields import LineEdit
from ui.terminal.keys import is_text
from ui.terminal.query_text import QueryText
from ui.terminal.stage import Memory
from ui.views.view import Picture

if TYPE_CHECKING:
    from ui.views.session import Session

_LIST_KEYS = ("up", "down", "pageup", "pagedown")
_FINDERS = ("search", "filter")
_END = "silence.end"
_DRAFT = ("silence.matchers", "silence.duration", "silence.reason", _END)
_MOVES = ("left", "right", "home", "end", "backspace", "delete", "ctrl+j")
"""Keys that edit the query even though they mean something elsewhere."""
_SCROLL = {"up": -1, "down": 1, "j": 1, "k": -1, "pageup": -10, "pagedown": 10, "home": -10_000, "end": 10_000}


class Controller:
    """Translates input into calls of the session. Holds no state but the carets in `memory`."""

    def __init__(self, session: Session, memory: Memory) -> None:
        self._session = session
        self._memory = memory

    @property
    def field(self) -> str:
        """The field typing goes to; "" when there is none or the text area takes it."""
        focus = self._session.ctx.focus
        self._memory.take_focus(focus)
        return "" if focus == "rule" else focus

    def key(self, key: str, character: str | None) -> bool:
        """A key in neutral spelling; False when it means nothing here."""
        if self._session.help_open and key in _SCROLL:
            self._memory.first["help"] = max(0, self._memory.first.get("help", 0) + _SCROLL[key])
            return True
        field = self.field
        if not field:
            return self._session.key(key)
        if field.startswith("silence.") and key in ("tab", "shift+tab", "up", "down"):
            self._step(field, 1 if key in ("tab", "down") else -1)
            return True
        return self._type(field, key, character)

    def _step(self, field: str, by: int) -> None:
        at = _DRAFT.index(field) if field in _DRAFT else 0
        self._session.focus(_DRAFT[(at + by) % len(_DRAFT)])

    def _type(self, field: str, key: str, character: str | None) -> bool:
        if field == "query":
            return self._write(key, character)
        if (field == "search" and key == "enter") or (field in _FINDERS and key in ("down", "pagedown")):
            self._session.focus("")  # into the list, where the first row found has the cursor
            return True
        if key == "enter":
            self._session.submit("silence.reason" if field == _END else field)
            return True
        if field == _END:
            if key == "space":
                self._flip_end()
                return True
            return self._session.key(key, typing=True)
        if key in _LIST_KEYS:
            return self._session.key(key, typing=True)
        edit = self._edit(field)
        before = edit.text
        meant = edit.insert(character or "") if is_text(key, character) else edit.key(key)
        if edit.text != before:
            self._session.set_text(field, edit.text, edit.caret)
        return meant or self._session.key(key, typing=True)

    def _write(self, key: str, character: str | None) -> bool:
        """A key in the query: what the list of offers or an action means by it, else it edits the text."""
        typed = is_text(key, character)
        if not typed and key not in _MOVES and self._session.key(key, typing=True):
            return True
        edit = self._query()
        meant = edit.insert(character or "") if typed else edit.key(key)
        if meant:
            self._session.set_text("query", edit.text, edit.caret)
        return meant

    def _query(self) -> QueryText:
        """The query being written, its caret where the session has it."""
        editor = self._session.explore.deck.editor
        query = self._session.explore.deck.queries.current
        edit = QueryText(query.text if query is not None else "")
        edit.caret = min(editor.caret, len(edit.text))
        return edit

    def _edit(self, field: str) -> LineEdit:
        """The field; one that was not painted yet, because keys came first, begins with the session's text."""
        known = self._memory.fields.get(field)
        return known if known is not None else self._memory.field(field, text_of(field, self._session.picture()))

    def _flip_end(self) -> None:
        draft = self._session.ctx.desk.silence
        self._session.set_flag("silence.end_when_resolved", not (draft is not None and draft.end_when_resolved))

    def insert(self, text: str) -> None:
        """Paste into the field that has the focus."""
        field = self.field
        if field == "query":
            written = self._query()
            if written.insert(text.strip("\r\n")):
                self._session.set_text("query", written.text, written.caret)
        elif field and field != _END:
            edit = self._edit(field)
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
        elif hit.kind == "rewind":
            self._session.rewind(float(hit.value))
        elif hit.kind == "field":
            self._press_field(hit.name)

    def _press_field(self, name: str) -> None:
        self._session.focus(name)
        if name == _END:
            self._flip_end()


def text_of(field: str, picture: Picture) -> str:
    """What a field holds in a picture; "" for one that no picture shows."""
    if field == "palette":
        return picture.palette.query if picture.palette is not None else ""
    if field == "query.name":
        queries = picture.explore.queries if picture.explore is not None else None
        return (queries.naming or "") if queries is not None else ""
    if field == "find":
        return picture.traces.search if picture.traces is not None else ""
    if field == "search":
        return picture.explore.search if picture.explore is not None else ""
    if field == "filter":
        return picture.rules.filter if picture.rules is not None else picture.alerts.filter if picture.alerts is not None else ""
    draft = picture.alerts.draft if picture.alerts is not None else None
    if draft is None or not field.startswith("silence."):
        return ""
    texts = {"silence.matchers": draft.matchers, "silence.duration": draft.duration, "silence.reason": draft.reason}
    return texts.get(field, "")
