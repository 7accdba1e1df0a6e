"""The terminal interface: a Textual application of one painted surface, fed by a session and a line to the collector."""

from __future__ import annotations

import contextvars
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App, ComposeResult
from textual.screen import Screen

from ui.client.files import tilde, write_new
from ui.terminal.canvas import Canvas, Rect, Span
from ui.terminal.cells import clean
from ui.terminal.controller import Controller
from ui.terminal.depth import detect
from ui.terminal.frugal import FrugalUpdate, spans_text
from ui.terminal.ink import InkBook, ascii_wanted
from ui.terminal.keys import neutral
from ui.terminal.paint import paint, profile_for
from ui.terminal.stage import Memory
from ui.terminal.surface import Surface
from ui.views.theme import load_themes
from ui.views.view import Picture

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver

    from ui.client.line import Line
    from ui.client.mirror import Mirror
    from ui.terminal.editor import RuleArea
    from ui.views.session import Session

HEARTBEAT = 1.0
"""Seconds after which the screen is painted anew although nothing was told: for what shows its age."""
FRAME = 0.1
"""Seconds between two frames that input asks for."""
RETRY = 0.03
"""Seconds until a terminal that was behind is looked at again."""
GATHER = 0.04
"""Seconds in which messages gather before they are painted together."""


def _save(name: str, content: bytes) -> str:
    """Into the folder the program was started in; where it is."""
    return tilde(write_new(Path.cwd(), name, content))


class MainScreen(Screen[None], inherit_bindings=False):
    """The only screen; overlays are painted, not pushed."""

    DEFAULT_CSS = """
    MainScreen { layers: page editor; overflow: hidden; background: $background; }
    """

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.surface = surface

    def compose(self) -> ComposeResult:
        yield self.surface


class LightshipApp(App[int], inherit_bindings=False):
    """Paints what the session shows, at most ten times a second; a slow terminal gets fewer frames, never late ones."""

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "Lightship"

    def __init__(self, session: Session, mirror: Mirror, line: Line, *, driver_class: type[Driver] | None = None) -> None:
        self.depth = detect()
        self.session = session
        self.mirror = mirror
        self.line = line
        self.ascii = ascii_wanted()
        self.memory = Memory(minutes_only=bool(os.environ.get("SSH_CONNECTION")))
        self.book = InkBook(load_themes()[session.theme], self.depth)
        self.surface = Surface(self.book, self)
        self.controller = Controller(session, self.memory)
        self.frames = 0
        self.dropped = 0
        self._area: RuleArea | None = None
        self._title = ""
        self._painted = 0.0
        self._due: float = 0.0
        self._handle: Any = None
        self._copy: contextvars.Context | None = None
        super().__init__(driver_class)
        session.on_quit = self._quit
        session.on_open_url = self._open_url
        session.on_copy = self.copy_to_clipboard
        session.on_notify = lambda title, text, severity: self.bell()
        session.on_retry = line.retry
        session.explore.exports.save_file = _save

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(self.surface)

    # ------------------------------------------------------------ life

    def on_mount(self) -> None:
        self._copy = contextvars.copy_context()
        self.surface.focus()
        self._fit()
        self.repaint()
        self.line.start()
        self._plan(HEARTBEAT)

    def on_unmount(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._copy = None
        self.line.close()

    def _quit(self) -> None:
        self.exit(0)

    def _open_url(self, url: str) -> None:
        """Show a page in the browser of this machine; where there is no screen for one, hand its address to the clipboard."""
        if not url.startswith(("http://", "https://")):
            return
        if self.is_headless or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"):
            self.session.copy(url)
        else:
            self.open_url(url)

    # ------------------------------------------------------------ data

    def heard(self) -> None:
        """Something arrived: paint soon, together with what comes along."""
        self._plan(GATHER)

    def _plan(self, delay: float) -> None:
        """Beat again after `delay` seconds, or earlier when that is planned already."""
        if self._copy is None or self._loop is None:
            return
        due = self._loop.time() + delay
        if self._handle is not None:
            if self._due <= due:
                return
            self._handle.cancel()
        self._due = due
        self._handle = self._loop.call_later(delay, self._beat, context=self._copy)

    def _beat(self) -> None:
        self._handle = None
        if not gc.isenabled():
            gc.freeze()  # the first frame stands: what was made until now stays, and is never looked through again
            gc.enable()
        changes = self.line.pump(self.mirror)
        if changes:
            self.session.changed({str(change) for change in changes})
        self.session.pump()
        self.repaint()
        self._plan(HEARTBEAT)

    # ------------------------------------------------------------ painting

    def repaint(self) -> None:
        """Paint the present picture, unless the terminal has not taken the last one yet."""
        if self._copy is None:
            return
        if self._behind():
            self.dropped += 1
            self._plan(RETRY)
            return
        if self.session.theme != self.book.theme.name:
            self.book = InkBook(load_themes()[self.session.theme], self.depth)
            self.surface.paint_with(self.book)
        picture = self.session.picture()
        if picture.rules is not None and picture.rules.editing and not picture.frame.focus:
            self.session.focus("rule")
            picture = self.session.picture()
        w, h = self.size
        stage = paint(picture, w, h, self.memory, ascii_only=self.ascii)
        self.surface.show(stage.canvas)
        self.frames += 1
        self._painted = self._loop.time() if self._loop is not None else 0.0
        self._show_editor(stage.editor, picture)
        if picture.frame.title != self._title:
            self._set_title(picture.frame.title)

    def _behind(self) -> bool:
        """Whether output waits in the writer's queue: a frame now would be shown late, so it is left out."""
        writer = getattr(self._driver, "_writer_thread", None)
        return writer is not None and writer._queue.qsize() > 0

    def send(self, canvas: Canvas, spans: list[Span]) -> bool:
        """Take changed cells straight to the terminal: at once, and without the rows round them that Textual would send."""
        if self._driver is None or self.is_headless or self._batch_count or not self._running:
            return False
        text = spans_text(canvas, spans, self.book)
        self._driver.write(f"{SYNC_START}{text}{SYNC_END}" if self._sync_available else text)
        return True

    def _fit(self) -> None:
        w, h = self.size
        self.session.resize(profile_for(w, h, ascii_only=self.ascii))

    def _show_editor(self, rect: Rect | None, picture: Picture) -> None:
        """Lay the text area of the rule editor over its place, or take it away."""
        editor = picture.rules.editor if picture.rules is not None else None
        if rect is None or editor is None:
            if self._area is not None:
                area, self._area = self._area, None
                self.surface.focus()
                area.remove()
            return
        if self._area is None:
            from ui.terminal.editor import RuleArea  # the syntax library is loaded when the first rule is edited

            self._area = RuleArea(self)
            self.screen.mount(self._area)
        self._area.place(rect)
        self._area.take(editor, focused=picture.frame.focus == "rule")
        if not self._area.has_focus and picture.frame.focus == "rule":
            self._area.focus()
        elif self._area.has_focus and picture.frame.focus != "rule":
            self.surface.focus()

    def _set_title(self, title: str) -> None:
        self._title = title
        if self._driver is not None and not self.is_headless:
            self._driver.write(f"\x1b]2;{clean(title)[:120]}\x07")

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        frugal = FrugalUpdate(renderable, self.book) if isinstance(renderable, (ChopsUpdate, LayoutUpdate)) else renderable
        super()._display(screen, frugal)

    # ------------------------------------------------------------ input

    def on_resize(self, event: events.Resize) -> None:
        self._fit()
        self.repaint()

    def type_key(self, event: events.Key) -> bool:
        """A key for the session or the field that has the focus; True when it meant something."""
        key = neutral(event.key, event.character)
        if key == "ctrl+c":
            self.exit(0)
            return True
        done = self.controller.key(key, event.character)
        self.answered()
        return done

    def answered(self) -> None:
        """After input: show what it did, at most ten times a second, and soon what the collector says to it."""
        now = self._loop.time() if self._loop is not None else 0.0
        if now >= self._painted + FRAME:
            self.repaint()
        self._plan(max(GATHER, self._painted + FRAME - now))

    def paste(self, text: str) -> None:
        """Text from the clipboard goes where typing goes."""
        self.controller.insert(text)
        self.answered()

    def press(self, x: int, y: int, twice: bool) -> None:
        """A click on a cell."""
        hit = self.surface.canvas.target(x, y)
        if hit is not None:
            self.controller.press(hit, twice)
            self.answered()

    def wheel(self, x: int, y: int, by: int) -> None:
        """The wheel turned over a cell."""
        self.controller.key("down" if by > 0 else "up", None)
        self.answered()
