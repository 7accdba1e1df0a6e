"""The window: bars round a stack of pages, breakpoints, focus, overlays; it paints pictures and passes keys on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from ui.desktop import qss
from ui.desktop.banner import BannerBar, ToastBar
from ui.desktop.buttons import Button
from ui.desktop.edge import PastEdge
from ui.desktop.host import Host
from ui.desktop.keys import EDITOR_OWN, FIELD_OWN, neutral
from ui.desktop.look import Look
from ui.desktop.overlay import HelpOverlay, PaletteOverlay
from ui.desktop.overview import OverviewPage
from ui.desktop.remember import Memory
from ui.desktop.sidebar import BottomBar, Sidebar
from ui.desktop.statusbar import StatusBar
from ui.desktop.timebar import TimeBar
from ui.desktop.topbar import Field, TopBar
from ui.views.context import PHONE, Profile
from ui.views.theme import tokens
from ui.views.view import Page, Picture

if TYPE_CHECKING:
    from ui.desktop.alerts import AlertsPage
    from ui.desktop.explore import ExplorePage
    from ui.desktop.rules import RulesPage
    from ui.desktop.topology import TopologyPage
    from ui.desktop.traces import TracesPage
    from ui.views.session import Session

    AnyPage = OverviewPage | ExplorePage | TopologyPage | AlertsPage | RulesPage | TracesPage

TABLET = int(tokens()["breakpoint"]["tablet"])
WIDE = int(tokens()["breakpoint"]["wide"])
FINDERS = ("search", "filter")
RAIL_BELOW = 1200
NARROW_BELOW = 1080


def profile_for(width: int, height: int) -> Profile:
    """What a window of this size has room for."""
    if width < TABLET:
        return PHONE
    if width >= WIDE:
        return Profile(charts=6, stats=8, rows=max(8, min(24, (height - 560) // 24)), points=1600)
    return Profile(charts=4, stats=6, rows=max(6, min(20, (height - 660) // 24 + 2)))


class Window(QMainWindow):
    """One window on one session."""

    def __init__(self, session: Session, look: Look, memory: Memory | None = None) -> None:
        super().__init__()
        self.session, self.look = session, look
        self.memory = memory
        self.host = Host(session, look, self.refresh)
        self.picture: Picture | None = None
        self.pages: dict[Page, AnyPage] = {}
        self._focus = ""
        self._theme = ""
        self._locked, self._locked_pages = "", 0
        self._size_class: tuple[bool, int] | None = None
        self._painting, self._again = False, False
        self._placed = False
        """Whether the focus has found the page: until its lists have rows it has nowhere to go."""
        self.setWindowTitle("Lightship")
        self.setMinimumSize(360, 480)
        self._lay_out()
        self.apply_theme()
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def _lay_out(self) -> None:
        host = self.host
        self.body = QWidget()
        self.body.setObjectName("body")
        self.setCentralWidget(self.body)
        self.sidebar = Sidebar(host)
        self.bottom = BottomBar(host)
        self.topbar = TopBar(host)
        self.timebar = TimeBar(host)
        self.banner = BannerBar(host)
        self.stack = QStackedWidget()
        self.status = StatusBar(host)
        from PySide6.QtWidgets import QHBoxLayout

        column = QVBoxLayout()
        column.setSpacing(0)
        for widget in (self.topbar, self.timebar):
            column.addWidget(widget)
        self.banner_holder = QVBoxLayout()
        self.banner_holder.setContentsMargins(12, 0, 12, 0)
        self.banner_holder.addWidget(self.banner)
        column.addLayout(self.banner_holder)
        column.addWidget(self.stack, 1)
        column.addWidget(self.status)
        column.addWidget(self.bottom)
        row = QHBoxLayout(self.body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addLayout(column, 1)
        self.edge = PastEdge(host, self.body)
        self.toast = ToastBar(host, self.body)
        self.palette_overlay = PaletteOverlay(host, self.body)
        self.help_overlay = HelpOverlay(host, self.body)

    def page(self, name: Page) -> AnyPage:
        """A page's widget, made when it is first opened: start-up pays for one page only."""
        found = self.pages.get(name)
        if found is None:
            found = self._make(name)
            self.pages[name] = found
            self.stack.addWidget(found)
            found.arrange(self._page_width(), self.look.phone)
        return found

    def _make(self, name: Page) -> AnyPage:
        if name == "overview":
            return OverviewPage(self.host)
        if name == "explore":
            from ui.desktop.explore import ExplorePage

            return ExplorePage(self.host)
        if name == "topology":
            from ui.desktop.topology import TopologyPage

            return TopologyPage(self.host)
        if name == "alerts":
            from ui.desktop.alerts import AlertsPage

            return AlertsPage(self.host)
        if name == "traces":
            from ui.desktop.traces import TracesPage

            return TracesPage(self.host)
        from ui.desktop.rules import RulesPage

        return RulesPage(self.host)

    # ------------------------------------------------------------ painting

    def refresh(self) -> None:
        """Paint the session's present picture; cheap when nothing changed, nothing when hidden."""
        if self._painting:
            self._again = True
        if self._painting or self.isHidden():
            return
        self._painting = True
        try:
            if self.session.theme != self._theme:
                self.apply_theme()
            self._paint(self.session.picture())
            # Painting may itself move the focus, and with it what the session shows.
            if self._again:
                self._paint(self.session.picture())
        finally:
            self._again = False
            self._painting = False

    def _paint(self, picture: Picture) -> None:
        if picture is self.picture:
            return
        old, self.picture = self.picture, picture
        frame = picture.frame
        for bar in (self.sidebar, self.bottom, self.topbar, self.timebar, self.status):
            bar.show_frame(frame)
        self.banner.show_banner(frame.banner)
        self.banner_holder.setContentsMargins(12, 8 if frame.banner else 0, 12, 0)
        self.toast.show_toast(frame.toast)
        if frame.title != self.windowTitle():
            self.setWindowTitle(frame.title)
        page = self.page(frame.page)
        self._show_page(picture, page)
        self._lock(frame.locked)
        if self.stack.currentWidget() is not page:
            self.stack.setCurrentWidget(page)
            self.host.hover_repaints = frame.page == "explore"
            self._placed = bool(frame.focus) or page.focus_main()
        self.edge.show_past(frame.time.state == "rewound" and frame.time.progress is None, self._past_area())
        self.palette_overlay.show_view(picture.palette)
        self.help_overlay.show_view(picture.help)
        self._follow_focus(picture, old)

    def _lock(self, why: str) -> None:
        """Buttons that act, and rules, are off while nothing can be changed, and say why."""
        if why == self._locked and len(self.pages) == self._locked_pages:
            return
        self._locked, self._locked_pages = why, len(self.pages)
        for button in self.findChildren(Button):
            if button.acts:
                button.lock(why)
        if "rules" in self.pages:
            from ui.desktop.editor import CodeEdit

            for editor in self.findChildren(CodeEdit):
                editor.lock(why)

    def _past_area(self) -> QRect:
        """Time bar and page: what is of another time when it is rewound."""
        return self.timebar.geometry().united(self.stack.geometry())

    def _show_page(self, picture: Picture, page: AnyPage) -> None:
        view = picture.overview or picture.explore or picture.topology or picture.alerts or picture.rules or picture.traces
        if view is None:
            return
        page.show_view(view)  # type: ignore[arg-type]
        text = getattr(view, "search", None) if picture.explore else getattr(view, "filter", "")
        error = getattr(view, "search_error", "") if picture.explore else getattr(view, "filter_error", "")
        self.topbar.show_filter(text or "", error)

    def _follow_focus(self, picture: Picture, old: Picture | None) -> None:
        """The caret goes where the session says a person types now, and back to the page when nobody does."""
        if not self._placed and not picture.frame.focus and picture.palette is None:
            self._placed = self.page(picture.frame.page).focus_main()
        wanted = "palette" if picture.palette is not None else picture.frame.focus
        if wanted == self._focus:
            return
        was, self._focus = self._focus, wanted
        if wanted:
            self._focus_field(wanted)
        elif (was and isinstance(self.focusWidget(), QLineEdit)) or was in ("palette", "rule", "query"):
            self.page(picture.frame.page).focus_main()

    def _focus_field(self, name: str) -> None:
        assert self.picture is not None
        page = self.page(self.picture.frame.page)
        if name == "palette":
            self.palette_overlay.field.setFocus(Qt.FocusReason.OtherFocusReason)
        elif name == "search" and self.picture.explore is not None:
            page.search.setFocus(Qt.FocusReason.OtherFocusReason)  # type: ignore[union-attr]
        elif not (hasattr(page, "focus_field") and page.focus_field(name)) and name == "filter":
            if self.picture.explore is not None:
                page.search.setFocus(Qt.FocusReason.OtherFocusReason)  # type: ignore[union-attr]
            elif self.topbar.filter.isVisible():
                self.topbar.filter.setFocus(Qt.FocusReason.OtherFocusReason)

    def apply_theme(self) -> None:
        """The session's theme on everything: palette, style sheet and pens."""
        self._theme = self.session.theme
        self.look.use(self._theme)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.setPalette(self.look.palette())
        application.setFont(self.look.font("body"))
        application.setStyleSheet(qss.sheet(self.look))
        for page in self.pages.values():
            page.restyle()
        for widget in self.findChildren(QWidget):
            widget.update()

    # ------------------------------------------------------------ size

    def _page_width(self) -> int:
        """Width by which pages choose their columns: that of the window, as the breakpoints are meant."""
        return self.width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()
        self.body.layout().activate()  # type: ignore[union-attr]
        self.edge.setGeometry(self._past_area())

    def arrange(self) -> None:
        """Follow the breakpoints; does nothing while the class of size stays the same."""
        width = self.width()
        phone = width < TABLET
        marks = sum(width >= mark for mark in (TABLET, NARROW_BELOW, 1180, RAIL_BELOW, 1300, WIDE))
        profile = profile_for(width, self.height())
        if profile != self.session.profile:
            self.session.resize(profile)
        self.toast.place()
        if (phone, marks) == self._size_class:
            return
        restyled = self._size_class is None or self._size_class[0] != phone
        self._size_class = (phone, marks)
        self.look.phone = phone
        if restyled:
            QApplication.instance().setStyleSheet(qss.sheet(self.look))  # type: ignore[union-attr]
        self.sidebar.setVisible(not phone)
        self.sidebar.set_rail(width < RAIL_BELOW)
        self.bottom.setVisible(phone)
        self.status.setVisible(not phone)
        self.topbar.arrange(phone, width < NARROW_BELOW)
        self.timebar.arrange(phone)
        self.banner.arrange(phone)
        for page in self.pages.values():
            page.arrange(width, phone)
        self.palette_overlay.list.restyle()
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(1440, 900)

    def showEvent(self, event: object) -> None:
        self.arrange()
        self.refresh()

    # ------------------------------------------------------------ keys

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Every key of this window goes to the session first; a text field keeps what is its own."""
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            return False
        if kind != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent) or not isinstance(watched, QWidget):
            return False
        # A window that is not the active one gets keys too (without a window manager none ever is): its own focus counts.
        if watched.window() is not self or watched is not (QApplication.focusWidget() or self.focusWidget() or watched):
            return False
        return self._key(event, watched)

    def _key(self, event: QKeyEvent, watched: QWidget) -> bool:
        key = neutral(event)
        self._placed = self._placed or key in ("tab", "shift+tab")
        takes = getattr(watched, "takes", None)
        if key and takes is not None:  # a text that has keys of its own, Tab among them
            return bool(takes(key))
        if not key or key in ("tab", "shift+tab"):
            return False
        from ui.desktop.editor import CodeEdit

        if isinstance(watched, QLineEdit | CodeEdit):
            return self._typing(key, watched)
        if key in ("space", "enter") and isinstance(watched, QAbstractButton):
            watched.click()
            return True
        heard: bool = self.session.key(key)
        self.refresh()
        return heard

    def _typing(self, key: str, watched: QWidget) -> bool:
        from ui.desktop.editor import CodeEdit

        what = watched.what if isinstance(watched, Field) else ""
        if what and self.session.ctx.focus != what:
            self.session.focus(what)
        if (what in FINDERS and key in ("down", "pagedown")) or (what == "search" and key == "enter"):
            self.session.focus("")  # into the list, where the first row found has the cursor
            self.refresh()
            return True
        if (isinstance(watched, CodeEdit) and key in EDITOR_OWN) or key in FIELD_OWN or key == "enter":
            return False
        heard: bool = self.session.key(key, True)
        self.refresh()
        return heard

    def closeEvent(self, event: QCloseEvent) -> None:
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
        if self.memory is not None and self.picture is not None:
            self.memory.keep(self.saveGeometry(), self.picture.frame.page, self.session.theme)
        super().closeEvent(event)
