"""A one-line text field without a toolkit: text, caret and the keys that move it."""

from __future__ import annotations

from ui.terminal.cells import clean, width

MAX_TEXT = 4096


class LineEdit:
    """Text and caret (an index into the text). Control characters never get in; length is bounded."""

    __slots__ = ("caret", "text")

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.caret = len(text)

    def replace(self, text: str) -> None:
        """Take text from outside; the caret stays where it was when it can."""
        if text != self.text:
            at_end = self.caret >= len(self.text)
            self.text = text
            self.caret = len(text) if at_end else min(self.caret, len(text))

    def insert(self, text: str) -> bool:
        """Type or paste at the caret; line breaks become spaces."""
        text = clean(text)[: MAX_TEXT - len(self.text)]
        self.text = self.text[: self.caret] + text + self.text[self.caret :]
        self.caret += len(text)
        return bool(text)

    def key(self, key: str) -> bool:
        """Handle an editing key in neutral spelling; False when it means nothing here."""
        text, caret = self.text, self.caret
        if key in _MOVES:
            self.caret = max(0, min(len(text), caret + _MOVES[key]))
        elif key in ("home", "ctrl+a"):
            self.caret = 0
        elif key in ("end", "ctrl+e"):
            self.caret = len(text)
        elif key in ("ctrl+left", "alt+b"):
            self.caret = self._word_start()
        elif key in ("ctrl+right", "alt+f"):
            self.caret = self._word_end()
        elif key == "backspace":
            self._cut(caret - 1, caret)
        elif key in ("ctrl+w", "ctrl+backspace", "alt+backspace"):
            self._cut(self._word_start(), caret)
        elif key == "delete":
            self._cut(caret, caret + 1)
        elif key == "ctrl+u":
            self._cut(0, caret)
        else:
            return False
        return True

    def _cut(self, start: int, end: int) -> None:
        start = max(0, start)
        self.text = self.text[:start] + self.text[end:]
        self.caret = start

    def _word_start(self) -> int:
        before = self.text[: self.caret].rstrip()
        return before.rfind(" ") + 1

    def _word_end(self) -> int:
        after = self.text[self.caret :]
        skipped = len(after) - len(after.lstrip())
        space = after.find(" ", skipped)
        return len(self.text) if space < 0 else self.caret + space

    def window(self, room: int) -> tuple[str, int]:
        """The part of the text that shows in `room` cells, and the cell of the caret in it."""
        shown = clean(self.text)
        if shown != self.text:  # text from outside may hold what is not painted
            return shown[-room:], min(room, width(shown[-room:]))
        start = 0
        while width(self.text[start : self.caret]) > room:
            start += 1
        end = len(self.text)
        while end > self.caret and width(self.text[start:end]) > room:
            end -= 1
        return self.text[start:end], width(self.text[start : self.caret])


_MOVES = {"left": -1, "right": 1}
