"""The text area of the rule editor: TOML in the theme's colours, keys of the action table where they have a modifier."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from rich.style import Style
from textual import events
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from ui.terminal.canvas import Rect
from ui.terminal.keys import neutral
from ui.views.view import RuleEditorView

if TYPE_CHECKING:
    from ui.terminal.application import LightshipApp

_OURS = ("escape", "alt+enter", "ctrl+s", "ctrl+k", "ctrl+d", "ctrl+q", "ctrl+t")
"""Keys that mean an action even while typing; the rest with modifiers edits the text."""


class RuleArea(TextArea):
    """Typing is told to the session; text from outside comes in only when its revision rises."""

    DEFAULT_CSS = """
    RuleArea { layer: editor; position: absolute; border: none; padding: 0; scrollbar-size: 0 0; }
    RuleArea:focus { border: none; }
    """

    def __init__(self, app: LightshipApp) -> None:
        language = "toml" if importlib.util.find_spec("tree_sitter_toml") is not None else None
        super().__init__("", language=language, show_line_numbers=True, tab_behavior="indent", soft_wrap=False)
        self._lightship = app
        self._revision = -1
        self._theme_name = ""
        self.cursor_blink = False
        self.indent_width = 2

    def place(self, rect: Rect) -> None:
        """Lie over a region of the surface."""
        self.styles.offset = (rect.x, rect.y)
        self.styles.width, self.styles.height = rect.w, rect.h

    def take(self, editor: RuleEditorView, focused: bool) -> None:
        """Text from outside, if there is a new one."""
        self._dress()
        if editor.text_revision == self._revision:
            return
        self._revision = editor.text_revision
        if self.text != editor.text:
            with self.prevent(TextArea.Changed):
                self.load_text(editor.text)
        lines = self.document.line_count
        self.move_cursor((max(0, min(editor.cursor_line, lines - 1)), 0))

    def _dress(self) -> None:
        theme = self._lightship.book.theme
        if theme.name == self._theme_name:
            return
        self._theme_name = theme.name
        c = theme.colour
        dress = TextAreaTheme(
            name=f"lightship-{theme.name}",
            base_style=Style(color=c("text-primary"), bgcolor=c("canvas")),
            gutter_style=Style(color=c("text-disabled"), bgcolor=c("canvas")),
            cursor_style=Style(color=c("canvas"), bgcolor=c("text-primary")),
            cursor_line_style=Style(bgcolor=c("raised")),
            cursor_line_gutter_style=Style(color=c("accent"), bgcolor=c("raised")),
            selection_style=Style(bgcolor=c("accent-tint")),
            syntax_styles={
                "string": Style(color=c("series-2")),
                "number": Style(color=c("series-1")),
                "boolean": Style(color=c("series-1")),
                "toml.type": Style(color=c("accent")),
                "type": Style(color=c("accent")),
                "property": Style(color=c("text-primary")),
                "operator": Style(color=c("text-secondary")),
                "comment": Style(color=c("text-secondary"), italic=True),
                "toml.error": Style(color=c("critical"), underline=True),
                "toml.datetime": Style(color=c("series-1")),
                "punctuation.bracket": Style(color=c("text-secondary")),
                "punctuation.delimiter": Style(color=c("text-secondary")),
            },
        )
        self.register_theme(dress)
        self.theme = dress.name

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        row, column = self.cursor_location
        cursor = sum(len(self.document[i]) + 1 for i in range(row)) + column
        self._lightship.session.set_text("rule", self.text, cursor)
        self._lightship.answered()

    async def _on_key(self, event: events.Key) -> None:
        key = neutral(event.key, event.character)
        if key in _OURS:
            event.stop()
            event.prevent_default()
            self._lightship.session.key(key, typing=True)
            self._lightship.answered()
            return
        await super()._on_key(event)
