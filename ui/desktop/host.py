"""What every widget knows: the session it speaks to, the look it paints with, and how to have the window painted anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.desktop.look import Look
from ui.views.format import Words

if TYPE_CHECKING:
    from ui.views.session import Session


class Host:
    """Carries input to the session and asks for a repaint afterwards."""

    hover_repaints = False

    def __init__(self, session: Session, look: Look, repaint: Callable[[], None]) -> None:
        self.session = session
        self.look = look
        self.crossing: Any = None
        self.clock: Callable[[float], str] = Words().clock
        self._repaint = repaint

    def act(self, action: str) -> bool:
        """Perform an action by its name; what it changed is painted at once."""
        done: bool = self.session.perform(action)
        self._repaint()
        return done

    def tell(self, heard: Callable[..., Any], *what: Any) -> None:
        """Call a method of the session and paint what came of it."""
        heard(*what)
        self._repaint()

    def hover(self, at: float | None) -> None:
        """The crosshair moved. Only Explore shows more of it than the plots do themselves."""
        self.session.crosshair(at)
        if self.hover_repaints:
            self._repaint()

    def field_left(self, what: str) -> bool:
        """Whether the session still takes this field for the one that is typed in."""
        return bool(self.session.ctx.focus == what)

    def repaint(self) -> None:
        self._repaint()


def has_caret(widget: QWidget) -> bool:
    """Whether keys of its window go to this widget, also while another window is the active one."""
    return widget.window().focusWidget() is widget


class Painted(QWidget):
    """A widget that paints itself with the host's look. Subclasses say their wish in `wish`."""

    def __init__(self, host: Host, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.host = host
        self.look = host.look
        self.wish = QSize(0, 0)

    def want(self, width: int, height: int) -> None:
        """Wished size; a width of 0 lets the layout decide."""
        if self.wish != QSize(width, height):
            self.wish = QSize(width, height)
            policy = QSizePolicy.Policy.Fixed
            self.setSizePolicy(
                policy if width else QSizePolicy.Policy.Expanding, policy if height else QSizePolicy.Policy.Expanding
            )
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return self.wish

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.wish.width(), 20), self.wish.height())
