"""The Alerts page: the list by groups, one alert in the centre, the silence drawer and the reasons at the right."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop.buttons import Button, Segments, link, row_of
from ui.desktop.delegates import AlertPainter, SilencePainter
from ui.desktop.detail import DetailCard, WhyCard
from ui.desktop.drawer import SilenceDrawer
from ui.desktop.host import Host
from ui.desktop.labels import SentenceLabel, heading, muted
from ui.desktop.panel import Card, Rule
from ui.desktop.rows import RowList, fill_height
from ui.desktop.topbar import Field
from ui.views.view import AlertsView

LIST, PANEL = 340, 316
_MARK_ROOM = 34


class AlertList(RowList):
    """A press on the check box marks, a press beside it points."""

    def __init__(self, host: Host, page: AlertsPage) -> None:
        session = host.session
        super().__init__(
            host,
            "Alerts",
            AlertPainter(marks=True),
            page.point,
            lambda row: host.tell(session.open, "alerts", row),
            hovering=True,
        )

    def pressed_at(self, number: int, x: float) -> None:
        if x < _MARK_ROOM:
            self.host.tell(self.host.session.mark, number)
        else:
            super().pressed_at(number, x)


class MarkedBar(QWidget):
    """What can be done with the marked ones, and to how many."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.words = heading(host, "")
        self.ack = Button(host, "Acknowledge", lambda: host.act("alert.acknowledge"), key="A")
        self.silence = Button(host, "Silence…", lambda: host.act("alert.silence"), "accent", key="S")
        self.silence.acts = True
        self.clear = Button(host, "Clear", lambda: host.act("back"), "ghost", key="Esc")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 12, 7)
        row.addWidget(self.words)
        row.addStretch(1)
        for button in (self.ack, self.silence, self.clear):
            row.addWidget(button)
        self.hide()

    def show_marked(self, count: int) -> None:
        self.setVisible(count > 0)
        self.words.say(f"{count} marked")
        self.ack.say(f"Acknowledge {count}")
        self.silence.say(f"Silence {count}…")


class AlertsPage(QWidget):
    """Three columns; on a tablet the right one lies over the centre; on the phone one at a time."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        session = host.session
        self.view: AlertsView | None = None
        self.phone, self.beside = False, True
        self.opened = False
        self.groups = Segments(host, "Groups", lambda word: host.tell(session.choose, "group", word), boxed=True)
        self.filter = Field(host, "filter", "Filter alerts", "Filter: name, severity:critical, service=orders")
        self.above = link(host, "", lambda: host.act("cursor.home"))
        self.sort = link(host, "", lambda: host.act("alert.sort"))
        self.count = muted(host)
        self.list = AlertList(host, self)
        self.silences = RowList(host, "Silences", SilencePainter(), lambda row: host.tell(session.point, "silences", row))
        self.expire = Button(host, "End silence", lambda: host.act("silence.expire"), "danger", key="Del")
        self.edit = Button(host, "Edit…", lambda: host.act("silence.edit"), key="Shift S")
        self.edit.setAccessibleName("Edit silence")
        self.edit.acts = True
        self.nothing = SentenceLabel(host, "body", wrap=True)
        self.left = Card(host, "Alerts")
        self.groups.room = LIST - 16
        self.group_row = row_of(self.groups, margins=(7, 7, 7, 7))
        self.left.add(self.group_row)
        self.filter_row = row_of(self.filter, margins=(10, 0, 10, 8))
        self.left.add(self.filter_row)
        self.left.add(Rule(host))
        self.left.add(row_of(self.count, None, self.above, self.sort, margins=(12, 4, 10, 4)))
        fill_height(self.list)
        fill_height(self.silences)
        self.nothing_row = row_of(self.nothing, margins=(14, 6, 14, 14))
        self.left.add(self.nothing_row)
        self.left.add(self.list, 1)
        self.left.add(self.silences, 1)
        self.expire_row = row_of(self.edit, self.expire, None, margins=(12, 7, 12, 9))
        self.left.add(self.expire_row)
        self.detail = DetailCard(host)
        self.detail.back.clicked.connect(self.close_sheet)
        self.marked = MarkedBar(host)
        self.detail.add(self.marked)
        self.drawer = SilenceDrawer(host)
        self.why = WhyCard(host)
        self.right = QScrollArea()
        self.right.setWidgetResizable(True)
        self.right.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Bars that come and go change the width, which changes the height of wrapped words: never "as needed" here.
        self.right.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.right.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        inner.setObjectName("canvas")
        self.right.setWidget(inner)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.drawer)
        column.addWidget(self.why)
        column.addStretch(1)
        self.row = QHBoxLayout(self)
        self.row.setSpacing(10)
        self.row.addWidget(self.left)
        self.row.addWidget(self.detail, 1)
        self.row.addWidget(self.right)
        self.arrange(1440, False)

    # ------------------------------------------------------------ layout

    def arrange(self, width: int, phone: bool) -> None:
        self.phone, self.beside = phone, width >= 1200
        self.row.setContentsMargins(12, 4 if phone else 10, 12, 10)
        if phone:
            for part in (self.left, self.right):
                part.setMinimumWidth(0)
                part.setMaximumWidth(16_777_215)
        else:
            self.left.setFixedWidth(LIST if width >= 1200 else 300)
        self.filter_row.setVisible(phone)
        self.groups.room = 0 if phone else self.left.maximumWidth() - 16
        self.groups.restyle()
        ground = self.group_row.layout()
        if ground is not None:
            ground.setAlignment(self.groups, Qt.AlignmentFlag(0) if phone else Qt.AlignmentFlag.AlignLeft)
        self.groups.setSizePolicy(QSizePolicy.Policy.Expanding if phone else QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.detail.arrange(phone)
        self._place()
        if self.view is not None:
            view, self.view = self.view, None
            self.show_view(view)

    def _place(self) -> None:
        """Which columns are seen: three, two (the drawer over the detail), or one on the phone."""
        draft = self.drawer.draft is not None
        why = self.why.isVisibleTo(self.right) and not self.phone
        if self.phone:
            self.left.setVisible(not draft and not self.opened)
            self.detail.setVisible(not draft and self.opened)
            self.right.setVisible(draft)
            return
        self.left.setVisible(True)
        self.right.setVisible((draft or why) if self.beside else draft)
        self.detail.setVisible(self.beside or not draft)
        if self.beside:
            self.right.setFixedWidth(PANEL)
        else:
            self.right.setMinimumWidth(PANEL)
            self.right.setMaximumWidth(16_777_215)

    def detail_fits(self, view: AlertsView) -> bool:
        """Whether the middle column is seen beside the list."""
        return not self.phone and (self.beside or view.draft is None)

    def point(self, row: int) -> None:
        """A row was pressed; on the phone that opens it."""
        self.opened = self.phone
        self.host.tell(self.host.session.point, "alerts", row)
        self._place()
        if self.opened:
            self.detail.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_sheet(self) -> None:
        self.opened = False
        self._place()

    # ------------------------------------------------------------ picture

    def show_view(self, view: AlertsView) -> None:
        if view is self.view:
            return
        self.view = view
        self.opened = self.opened and view.detail is not None  # what was open may have gone, and with it the way back
        self.groups.show_choices([(name, str(count) if count else "") for name, count in view.groups], view.group)
        self.filter.show_text(view.filter)
        self.filter.wrong(view.filter_error)
        silences = view.group == "Silences"
        self.count.say(
            view.filter_error
            or (f"{len(view.silences)} silences" if silences else f"{sum(not row.incident for row in view.rows)} shown")
        )
        self.sort.say(f"by {view.sort.lower()}")
        self.sort.setVisible(not silences)
        self.above.setVisible(view.new_above > 0)
        self.above.say(f"{view.new_above} new above")
        self.list.show_rows(view.rows, view.cursor)
        self.silences.show_rows(view.silences, view.cursor if silences else -1)
        # An empty list keeps its place: it holds the rows above it together, and the focus.
        self.list.setVisible(not silences)
        self.silences.setVisible(silences)
        self.nothing.say(view.empty)
        # Beside the list the middle column says it, with what happened lately.
        self.nothing_row.setVisible(bool(view.empty) and (view.detail is not None or not self.detail_fits(view)))
        self.expire_row.setVisible(silences and bool(view.silences))
        self.detail.show_detail(view.detail, view.prompt, view.empty, view.lately)
        self.marked.show_marked(view.marked)
        self.drawer.show_draft(view.draft)
        self.why.show_detail(view.detail if not self.phone else None)
        self._place()

    def restyle(self) -> None:
        for part in (self.list, self.silences, self.detail, self.drawer, self.why.rows):
            part.restyle()

    def focus_main(self) -> bool:
        (self.silences if self.silences.isVisibleTo(self) else self.list).setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def focus_field(self, name: str) -> bool:
        """The caret into a field of this page; False when it is not here."""
        if name.startswith("silence."):
            self.drawer.focus_field(name)
        elif name == "note":
            self.detail.note_field.setFocus(Qt.FocusReason.OtherFocusReason)
        elif name == "filter" and self.phone:
            self.filter.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            return False
        return True
