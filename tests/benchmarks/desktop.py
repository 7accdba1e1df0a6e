"""The desktop's painting: 12 plots of 4 lines of 3,600 points at 1600x1000, processor time at 1 Hz, and the first frame.

Frames are painted offscreen, one after the other, each with ranges a second later and another last value, so that nothing
kept from the frame before can be used. `cpu_at_1hz` is processor seconds a second while a new frame is painted each second.
`first_frame_s` runs from the start of a process to the first painted window; `first_charts_s` to the first painted lines,
without the time the demonstration data take to be made.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.benchmarks.report import report

if TYPE_CHECKING:
    from numpy.random import Generator

    from ui.views.view import ChartView

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

PLOTS, LINES, POINTS = 12, 4, 3600
FRAMES = 12
"""Prepared beforehand, so that what is measured is painting."""
SIZE = (1600, 1000)

_CHILD = """
import sys, time
began = float(sys.argv[1])
from PySide6.QtCore import QEvent, QObject, QTimer
from ui.desktop import app as desktop
from ui.desktop.remember import Memory
from ui.desktop.window import Window

class First(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not hasattr(self, "at"):
            self.at = time.time()
            QTimer.singleShot(0, desktop.application().quit)
        return False

fake, made = None, 0.0
if sys.argv[2] == "charts":
    from ui.client.fake import FakeCollector
    start = time.time()
    fake = FakeCollector.demo()
    made = time.time() - start
application = desktop.application()
session, line, mirror, advance = desktop.make_session("ws://127.0.0.1:9/", "bench", "dark", fake)
window, pump = desktop.open_window(line, mirror, session, None, advance)
first = First()
if fake is None:
    window.body.installEventFilter(first)
line.start()
window.resize(1440, 900)
window.show()
pump.start()
if fake is not None:
    for _ in range(50):
        application.processEvents()
        plots = [card.plot for card in window.page("overview").charts if card.plot is not None]
        if plots:
            plots[0].viewport().installEventFilter(first)
            break
        fake.advance(1)
        pump.turn()
application.exec()
pump.stop()
line.close()
print(first.at - began - made)
"""


def first_frame(what: str, runs: int = 3) -> float:
    """Seconds from the start of a process to its first frame; the best of some."""
    times = []
    # As users run it: compiled modules are kept from the first start on.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(runs):
        arguments = [sys.executable, "-c", _CHILD, repr(time.time()), what]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60, env=kept)
        times.append(float(done.stdout.strip().splitlines()[-1]))
    return min(times)


class Wall:
    """Twelve cards in a window and the data that run through them."""

    def __init__(self) -> None:
        import numpy as np
        from PySide6.QtWidgets import QGridLayout, QWidget

        from tests.ui.desktop.pictures import StubSession, chart
        from ui.desktop import qss
        from ui.desktop.app import application
        from ui.desktop.card import ChartCard
        from ui.desktop.host import Host
        from ui.desktop.look import Look

        self.application = application()
        look = Look("dark")
        self.application.setStyleSheet(qss.sheet(look))
        host = Host(StubSession(), look, lambda: None)  # type: ignore[arg-type]
        self.window = QWidget()
        grid = QGridLayout(self.window)
        self.cards = [ChartCard(host) for _ in range(PLOTS)]
        charts = [chart(f"plot {i}", LINES, POINTS, gaps=()) for i in range(PLOTS)]
        for number, card in enumerate(self.cards):
            grid.addWidget(card, number // 4, number % 4)
        self.window.resize(*SIZE)
        self.window.show()
        self.step = 0
        rng = np.random.default_rng(1)
        self.frames = [[advanced(view, step, rng) for view in charts] for step in range(FRAMES)]

    def frame(self) -> None:
        """All twelve plots with other data and ranges than before, painted before this returns."""
        for card, view in zip(self.cards, self.frames[self.step % FRAMES], strict=True):
            card.show_chart(view)
        self.step += 1
        self.application.processEvents()


def advanced(view: ChartView, step: int, rng: Generator) -> ChartView:
    """The chart `step` seconds later, with as many new samples."""
    from dataclasses import replace

    import numpy as np

    lines = []
    for line in view.lines:
        new = line.values[-1] + np.cumsum(rng.normal(0.0, 0.5, step))
        lines.append(replace(line, times=line.times + step, values=np.concatenate((line.values[step:], new))))
    x = (view.x[0] + step, view.x[1] + step)
    return replace(view, lines=tuple(lines), x=x, revision=step)


def frames_a_second(wall: Wall, seconds: float) -> tuple[float, float]:
    """Frames a second of wall time and processor milliseconds a frame, painting as fast as it goes."""
    for _ in range(5):
        wall.frame()
    began, busy, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        wall.frame()
        count += 1
    return count / (time.perf_counter() - began), (time.process_time() - busy) / count * 1000.0


def at_one_hertz(wall: Wall, seconds: int) -> float:
    """Share of a core while a frame a second is painted, by Qt's own timer."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    timer = QTimer()
    timer.setInterval(1000)
    timer.timeout.connect(wall.frame)
    timer.start()
    QTimer.singleShot(seconds * 1000 + 500, loop.quit)
    began, busy = time.perf_counter(), time.process_time()
    loop.exec()
    timer.stop()
    return (time.process_time() - busy) / (time.perf_counter() - began)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="how long each measurement lasts")
    arguments = parser.parse_args()
    wall = Wall()
    fps, cpu_ms = frames_a_second(wall, arguments.seconds)
    share = at_one_hertz(wall, arguments.seconds)
    figures = {
        "fps": round(fps, 1),
        "cpu_ms_a_frame": round(cpu_ms, 1),
        "cpu_at_1hz": round(share, 4),
        "first_frame_s": round(first_frame("shell"), 2),
        "first_charts_s": round(first_frame("charts"), 2),
    }
    report("desktop", figures, {"fps": (30, 60), "cpu_at_1hz": (0.10, 0.05), "first_frame_s": (1.2, 0.7)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
