"""The README's pictures of the terminal, painted from the demonstration; `--live` opens the demonstration in this terminal."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ui.client.fake import FakeCollector
from ui.client.mirror import Mirror
from ui.terminal.paint import paint, profile_for
from ui.terminal.stage import Memory, Stage
from ui.views.session import Session
from ui.views.theme import load_themes

if TYPE_CHECKING:
    from ui.terminal.application import LightshipApp

SIZES = {
    "overview": (120, 40),
    "explore": (120, 36),
    "queries": (120, 40),
    "rewound": (120, 40),
    "topology": (150, 40),
    "traces": (120, 36),
    "alerts": (120, 36),
    "rules": (120, 36),
}
QUERIES = (
    'histogram_quantile(0.99, sum by (service) (rate(shop_latency{service=~"orders.*|payments|cart"}[1m])))',
    "sum(rate(shop_errors[1m])) / sum(rate(shop_requests[1m]))",
)
KEYS = {
    "overview": "1",
    "explore": "2",
    "queries": "2",
    "rewound": "1",
    "topology": "3",
    "alerts": "4",
    "rules": "5",
    "traces": "6",
}


class Stagehand:
    """A session on the demonstration with hands to press keys, without a terminal."""

    def __init__(self, w: int, h: int, fake: FakeCollector | None = None) -> None:
        self.fake = FakeCollector.demo() if fake is None else fake
        self.mirror = Mirror()
        self.session = Session(
            self.mirror,
            self.fake.submit,
            now=lambda: self.fake.now,
            who="Mira",
            profile=profile_for(w, h),
            open_line=self.fake.another,
        )
        self.memory = Memory()
        self.size = (w, h)
        self.fake.start()
        self.settle()

    def settle(self, seconds: int = 3) -> None:
        """Let a few ticks pass, so that what a page asks for is there."""
        for _ in range(seconds):
            self.session.picture()
            self.pump()
            self.fake.advance()
            self.pump()

    def pump(self) -> None:
        """Bring in what was told."""
        self.session.changed({str(change) for change in self.fake.pump(self.mirror)})
        self.session.pump()

    def press(self, *keys: str) -> None:
        """Keys in neutral spelling."""
        for key in keys:
            self.session.key(key)
            self.pump()

    def paint(self, *, ascii_only: bool = False) -> Stage:
        """The present screen."""
        return paint(self.session.picture(), *self.size, self.memory, ascii_only=ascii_only)


def shoot(out_dir: Path) -> None:
    """Write a picture of each page: terminal-overview.png and so on."""
    from tests.cellshot import save

    for page, (w, h) in SIZES.items():
        hand = Stagehand(w, h)
        hand.press(KEYS[page])
        hand.settle()
        if page == "explore":
            hand.session.set_text("search", "latency")
            for index in range(3):
                hand.session.mark(index)
            hand.settle()
        if page == "queries":
            for text in QUERIES:
                hand.press("n")
                hand.session.set_text("query", text, len(text))
                hand.session.key("enter", True)
                hand.session.focus("")
            hand.settle(4)
        if page == "topology":
            hand.session.topology.show("checkout")
            hand.settle()
        if page == "traces":
            hand.session.traces.show_traces("", "", True)
            hand.settle()
            hand.session.key("enter", True)
            hand.settle()
        if page == "rewound":
            hand.session.rewind(hand.fake.now - 9 * 60)
            hand.settle(4)
        save(hand.paint().canvas, load_themes()["dark"], out_dir / f"terminal-{page}.png")


def demo_app(fake: FakeCollector, who: str = "Mira") -> LightshipApp:
    """The application on a collector in memory; whoever runs it lets time pass."""
    from ui.terminal.application import LightshipApp

    mirror = Mirror()
    session = Session(mirror, fake.submit, now=lambda: fake.now, who=who, open_line=fake.another)
    return LightshipApp(session, mirror, fake)


async def live() -> None:
    """The demonstration at its own pace, until it is left."""
    fake = FakeCollector.demo()
    app = demo_app(fake)
    running = asyncio.create_task(app.run_async())
    while not running.done():
        await asyncio.wait((running,), timeout=1.0)
        fake.advance()
        app.heard()
    await running


def main() -> int:
    if "--live" in sys.argv:
        asyncio.run(live())
    else:
        shoot(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
