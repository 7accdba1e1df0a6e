"""All state of one user interface behind one door: input goes in by name, pictures come out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from functools import partial

from ui.client.mirror import Mirror
from ui.client.past import OpenLine
from ui.views import alertacts as acts
from ui.views.actions import ACTING, ACTIONS, BY_NAME, action_for
from ui.views.alerts import Alerts
from ui.views.context import DESKTOP, PHONE, TERMINAL, Context, Profile, Send, Slot
from ui.views.day import Day
from ui.views.drafts import DraftStore, FileDrafts, MemoryDrafts
from ui.views.explore import Explore
from ui.views.frame import frame
from ui.views.gestures import Gestures
from ui.views.help import help_view
from ui.views.navigation import Navigation
from ui.views.overview import Overview
from ui.views.page import FAR, Handler, PageModel
from ui.views.palette import Palette
from ui.views.rewinding import Rewinding
from ui.views.rules import Rules
from ui.views.theme import THEMES, ThemeName
from ui.views.timehandlers import TimeHandlers
from ui.views.topology import Topology
from ui.views.traces import Traces
from ui.views.view import Page, Picture
from ui.views.watch import Watch

TYPING_KEYS = frozenset(("escape", "up", "down", "pageup", "pagedown"))
"""Keys without a modifier that still act while a text field has the focus: up and down in fields of one line only."""
ONE_LINE = frozenset(("filter", "search", "palette"))


class Session(Gestures):
    """No toolkit, no I/O, no clock of its own. Every method may be called at any time, connected or not."""

    def __init__(
        self,
        mirror: Mirror,
        send: Send,
        *,
        now: Callable[[], float],
        who: str,
        drafts: DraftStore | None = None,
        zone: tzinfo | None = None,
        profile: Profile = DESKTOP,
        open_line: OpenLine | None = None,
    ) -> None:
        self.ctx = Context(mirror, send, now, who, drafts, zone, profile, open_line=open_line)
        self.page: Page = "overview"
        self.help_open = False
        self._theme: ThemeName = "dark"
        self.overview, self.explore = Overview(self.ctx), Explore(self.ctx)
        self.topology = Topology(self.ctx)
        self.alerts, self.rules = Alerts(self.ctx), Rules(self.ctx)
        self.traces = Traces(self.ctx)
        self.pages: dict[Page, PageModel] = {
            "overview": self.overview,
            "explore": self.explore,
            "topology": self.topology,
            "alerts": self.alerts,
            "rules": self.rules,
            "traces": self.traces,
        }
        self.palette = Palette(self.ctx, self.enabled)
        self.navigation = Navigation(self)
        self.rewinding = Rewinding(self.ctx)
        self._day = Day(self.ctx, self.rewinding)
        self._time = TimeHandlers(self.ctx, self.rewinding, partial(self._open_palette, "@"))
        self.handlers: dict[str, Handler] = {**self._time.handlers, **self._handlers()}
        self._watch = Watch(self.ctx)
        self._painted: tuple[object, Picture] | None = None
        self.changed({"hello", "link", "alerts", "rules", "series", "health"})

    def _handlers(self) -> dict[str, Handler]:
        return {
            **{f"page.{name}": partial(self.go, name) for name in self.pages},
            "palette.open": self._open_palette,
            "filter.focus": self._focus_filter,
            "help.open": self._toggle_help,
            "back": self._back,
            "cursor.home": lambda: self.move(-FAR),
            "cursor.end": lambda: self.move(FAR),
            "cursor.page_down": lambda: self.move(10),
            "cursor.page_up": lambda: self.move(-10),
            "alert.acknowledge": lambda: acts.acknowledge(self.ctx, self.overview.targets()),
            "alert.silence": self._silence_from_overview,
            "theme.next": self._next_theme,
            "undo": lambda: acts.undo(self.ctx),
            "connection.retry": lambda: self.ctx.hooks.retry(),
            "quit": lambda: self.ctx.hooks.quit(),
        }

    # ------------------------------------------------------------ what a painter gives

    on_quit = Slot[Callable[[], None]]("quit")
    on_open_url = Slot[Callable[[str], None]]("open_url")
    on_copy = Slot[Callable[[str], None]]("copy")
    on_notify = Slot[Callable[[str, str, str], None]]("notify")
    """Called with (title, text, severity) when an alert begins to fire that nobody has silenced."""
    on_retry = Slot[Callable[[], None]]("retry")
    """Called by `connection.retry`: ask the collector again at once."""

    @property
    def profile(self) -> Profile:
        return self.ctx.profile

    def resize(self, profile: Profile) -> None:
        """The painter has other room now."""
        self.ctx.version += 1
        self.ctx.resize(profile)

    @property
    def hovering(self) -> bool:
        """The pointer or the cursor rests in a list: rows keep their order."""
        return self.ctx.hovering

    @hovering.setter
    def hovering(self, on: bool) -> None:
        self.ctx.hovering = on
        self.ctx.version += 1

    @property
    def theme(self) -> str:
        return self._theme

    @theme.setter
    def theme(self, name: str) -> None:
        self._theme = next((t for t in THEMES if t == name), self._theme)
        self.ctx.version += 1

    # ------------------------------------------------------------ actions

    @property
    def current(self) -> PageModel:
        """The page that is shown."""
        return self.pages[self.page]

    def _handler(self, action: str) -> Handler | None:
        return self.current.handlers.get(action) or self.handlers.get(action)

    def enabled(self, action: str) -> tuple[bool, str]:
        """Whether an action does something here and now, and the reason when it does not."""
        entry = BY_NAME.get(action)
        if entry is None:
            return False, "There is no such action."
        if entry.pages and self.page not in entry.pages:
            names = " and ".join(p.title() for p in entry.pages)
            return False, f"This belongs to {names}."
        if self._handler(action) is None:
            return False, f"There is nothing to move on {self.page.title()}." if action.startswith("region") else "Not here."
        reason = self._why_off(action)
        return not reason, reason

    def _why_off(self, action: str) -> str:
        if self.ctx.rewound and action in ACTING:
            return self.ctx.refusal()
        if action == "undo":
            return "" if self.ctx.undo else "There is nothing to undo."
        if action == "connection.retry":
            return "" if not self.ctx.mirror.connected else "The collector answers."
        if self.page == "overview" and action in ("alert.acknowledge", "alert.silence"):
            return acts.cannot(self.ctx, self.overview.targets(), action)
        if action.startswith("time."):
            return self._time.why_off(action)
        return self.current.why_off(action) if action in self.current.handlers else ""

    def perform(self, action: str) -> bool:
        """Do an action by name; False when it is off here (a toast says why)."""
        self.ctx.version += 1
        on, reason = self.enabled(action)
        handler = self._handler(action)
        if not on or handler is None:
            self.ctx.say(reason)
            return False
        if action.startswith(("cursor.", "mark")):
            self.ctx.touched = self.ctx.now()
        handler()
        return True

    def key(self, key: str, typing: bool = False) -> bool:
        """A key in neutral spelling; True when it meant something."""
        self.ctx.version += 1
        if typing and self.page == "explore" and self.explore.deck.editor.key(key):
            return True
        if typing and self.page == "traces" and self.traces.key(key):
            return True
        if typing and not self._acts_while_typing(key):
            return False
        if self.palette.is_open:
            return self._palette_key(key)
        if self.help_open and key not in ("?", "escape", "ctrl+q"):
            self.help_open = False
            return True
        action = action_for(key, self.page)
        if action is None:
            return False
        self.perform(action.name)
        return True

    def _acts_while_typing(self, key: str) -> bool:
        if key in TYPING_KEYS:
            return key == "escape" or self.ctx.focus in ONE_LINE or self.palette.is_open
        if self.palette.is_open and key == "enter":
            return True
        return "+" in key and not key.startswith("shift+")

    def _palette_key(self, key: str) -> bool:
        steps = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10, "ctrl+p": -1, "ctrl+n": 1}
        if key in steps:
            self.palette.move(steps[key])
        elif key == "enter":
            self.submit("palette")
        elif key in ("escape", "ctrl+k"):
            self.close_palette()
        else:
            return False
        return True

    # ------------------------------------------------------------ going places

    def go(self, page: Page) -> None:
        """Show a page; drafts and cursors stay where they were."""
        self.ctx.version += 1
        if page != self.page:
            self.page = page
            self.ctx.focus = "rule" if page == "rules" and self.rules.editing else ""

    def _open_palette(self, query: str = "") -> None:
        self.palette.open(query)
        self.ctx.focus = "palette"

    def close_palette(self) -> None:
        """The palette is done with."""
        self.palette.close()
        self.ctx.focus = ""

    def _focus_filter(self) -> None:
        if self.page == "overview":
            self._open_palette()
        else:
            self.ctx.focus = {"explore": "search", "traces": "find"}.get(self.page, "filter")

    def _toggle_help(self) -> None:
        self.help_open = not self.help_open

    def _back(self) -> None:
        """Help, then the field, then what the page has open, then a standing view."""
        ctx = self.ctx
        if self.help_open:
            self.help_open = False
        elif ctx.focus and ctx.focus not in ("rule", "note"):
            ctx.focus = ""
        elif ctx.focus:  # a text of several lines or a note: leaving it takes an old toast along
            ctx.dismiss()
            self.current.back()
        elif ctx.dismiss() or self.current.back():
            pass
        elif ctx.time.zoomed is not None:
            ctx.time.live()
        elif self.rewinding.progress is not None and not ctx.rewound:
            self.rewinding.live()

    def _next_theme(self) -> None:
        self._theme = THEMES[(THEMES.index(self._theme) + 1) % len(THEMES)]
        self.ctx.say(f"Theme: {self._theme.replace('-cvd', ' for colour-blind eyes')}.")

    def _silence_from_overview(self) -> None:
        targets = self.overview.targets()
        self.go("alerts")
        if targets:
            self.alerts.seek(targets[0])
        acts.begin_silence(self.ctx, targets)

    # ------------------------------------------------------------ data

    def changed(self, what: set[str]) -> None:
        """What the mirror said has changed."""
        self.ctx.version += 1
        self._watch.changed(what)
        if not self.ctx.rewound:
            for page in self.pages.values():
                page.changed(what)

    def pump(self) -> bool:
        """Takes in what came of the past; whether anything is to be painted anew."""
        what = self.rewinding.pump()
        if what:
            self.ctx.version += 1
            for page in self.pages.values():
                page.changed(what)
        return bool(what) or self.rewinding.active

    def close(self) -> None:
        """Ends what it opened itself."""
        self.rewinding.live()

    def picture(self) -> Picture:
        """All that is to be painted now; only the present page is built, and nothing when nothing happened."""
        ctx = self.ctx
        key = (ctx.version, math.floor(ctx.now()), ctx.toast())
        if self._painted is None or self._painted[0] != key:
            self._painted = (key, self._paint())
        return self._painted[1]

    def _paint(self) -> Picture:
        ctx = self.ctx
        ctx.time.fit(ctx.kept)
        ctx.feeds.hold(ctx.time.paused)
        on = frozenset(a.name for a in ACTIONS if a.hint and self.enabled(a.name)[0])
        overlay = (self.palette.view() if self.palette.is_open else None, help_view(self.page) if self.help_open else None)
        surround = frame(ctx, self.page, on, self.rewinding, self._day)
        picture = Picture(
            frame=surround,
            overview=self.overview.view() if self.page == "overview" else None,
            explore=self.explore.view() if self.page == "explore" else None,
            topology=self.topology.view() if self.page == "topology" else None,
            alerts=self.alerts.view() if self.page == "alerts" else None,
            rules=self.rules.view() if self.page == "rules" else None,
            traces=self.traces.view() if self.page == "traces" else None,
            palette=overlay[0],
            help=overlay[1],
        )
        ctx.feeds.sweep(ctx.now())
        old = self._painted[1] if self._painted is not None else None
        if self.rewinding.settling and old is not None and old.frame.page == self.page:
            # Of another time nothing has come yet: what is shown stays, with its time, until it has; so nothing blinks.
            return replace(old, frame=replace(old.frame, toast=surround.toast, focus=surround.focus))
        return picture


__all__ = ["DESKTOP", "PHONE", "TERMINAL", "FileDrafts", "MemoryDrafts", "Profile", "Session"]
