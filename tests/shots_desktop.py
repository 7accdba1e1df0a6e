"""The README's pictures of the desktop, painted offscreen from the demonstration data."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

DESK, PHONE = (1440, 900), (390, 844)
QUERIES = (
    'histogram_quantile(0.99, sum by (service) (rate(shop_latency{service=~"orders.*|payments|cart"}[1m])))',
    "sum(rate(shop_errors[1m])) / sum(rate(shop_requests[1m]))",
)


class Stage:
    """A window on the demonstration collector whose time is moved by hand."""

    def __init__(self, size: tuple[int, int], theme: str) -> None:
        from ui.client.fake import FakeCollector
        from ui.client.mirror import Mirror
        from ui.desktop.app import application, open_window
        from ui.views.session import Session

        self.application = application()
        self.fake = FakeCollector.demo()
        mirror = Mirror()
        self.session = Session(
            mirror,
            self.fake.submit,
            now=lambda: self.fake.now,
            who="Mira Okafor",
            zone=UTC,
            open_line=self.fake.another,
        )
        self.session.theme = theme
        self.window, self.pump = open_window(self.fake, mirror, self.session, None)
        self.fake.start()
        self.window.resize(*size)
        self.window.show()
        self.pass_time(4)

    def pass_time(self, seconds: int = 2) -> None:
        """Seconds of the collector, each taken in and painted; answers to what a page asked come with the next."""
        for _ in range(seconds):
            self.fake.advance(1)
            self.pump.turn()
            self.window.refresh()
            self.application.processEvents()

    def save(self, path: Path, ratio: float = 1.0) -> None:
        """What the window shows, with `ratio` pixels of the picture to one of the window."""
        from PySide6.QtGui import QImage

        self.pass_time()
        size = self.window.size() * ratio
        image = QImage(size, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        self.window.render(image)
        image.save(str(path))

    def close(self) -> None:
        self.window.close()
        self.window.deleteLater()
        self.application.processEvents()


def _explore(stage: Stage) -> None:
    session = stage.session
    session.perform("page.explore")
    session.set_text("search", "latency")
    stage.pass_time(1)
    rows = session.explore.results()
    wanted = [i for i, info in enumerate(rows) if dict(info.key.tags).get("service") in ("checkout", "orders-db", "payments")]
    for row in wanted:
        session.open("explore", row)
    stage.pass_time(2)


def _queries(stage: Stage) -> None:
    session = stage.session
    session.perform("page.explore")
    for text in QUERIES:
        session.perform("query.new")
        session.set_text("query", text, len(text))
        session.key("enter", True)
        session.focus("")
    stage.pass_time(4)


def _rewound(stage: Stage) -> None:
    stage.session.perform("page.overview")
    stage.session.rewind(stage.fake.now - 9 * 60)
    stage.pass_time(4)


def _alerts(stage: Stage) -> None:
    session = stage.session
    session.perform("page.alerts")
    stage.pass_time(1)
    session.perform("cursor.down")
    session.perform("mark")
    session.perform("mark")
    session.perform("alert.silence")
    session.set_text("silence.duration", "45m")
    session.set_text("silence.reason", "rollback of 2.31.0 in progress")


def _rules(stage: Stage) -> None:
    session = stage.session
    session.perform("page.rules")
    stage.pass_time(2)
    session.perform("cursor.down")
    stage.pass_time(2)


def _topology(stage: Stage) -> None:
    stage.session.perform("page.topology")
    stage.session.topology.show("checkout")
    stage.pass_time(2)


def _space(stage: Stage) -> None:
    stage.session.perform("page.topology")
    stage.session.perform("topology.mode")
    stage.pass_time(2)


def _trace(stage: Stage) -> None:
    stage.session.perform("page.traces")
    stage.session.traces.show_traces("", "", True)
    stage.pass_time(2)
    stage.session.perform("open")
    stage.pass_time(2)


def _go(page: str) -> Callable[[Stage], Any]:
    return lambda stage: stage.session.perform(f"page.{page}")


PICTURES: tuple[tuple[str, tuple[int, int], str, float, Callable[[Stage], Any]], ...] = (
    ("desktop-overview", DESK, "dark", 1.0, _go("overview")),
    ("desktop-explore", DESK, "dark", 1.0, _explore),
    ("desktop-queries", DESK, "dark", 1.0, _queries),
    ("desktop-rewound", DESK, "dark", 1.0, _rewound),
    ("desktop-topology", DESK, "dark", 1.0, _topology),
    ("desktop-topology-3d", DESK, "dark", 1.0, _space),
    ("desktop-traces", DESK, "dark", 1.0, _trace),
    ("desktop-alerts", DESK, "dark", 1.0, _alerts),
    ("desktop-rules", DESK, "dark", 1.0, _rules),
    ("desktop-overview-light", DESK, "light", 1.0, _go("overview")),
    ("desktop-alerts-light-cvd", DESK, "light-cvd", 1.0, _alerts),
    ("phone-overview", PHONE, "dark", 2.0, _go("overview")),
    ("phone-topology", PHONE, "dark", 2.0, _go("topology")),
    ("phone-alerts", PHONE, "dark", 2.0, _go("alerts")),
)


def shoot(out_dir: Path) -> None:
    """Paints every picture into `out_dir`."""
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, size, theme, ratio, prepare in PICTURES:
        stage = Stage(size, theme)
        prepare(stage)
        stage.save(out_dir / f"{name}.png", ratio)
        stage.close()
