"""What follows from one mirror: the live one, or that of the past."""

from __future__ import annotations

from ui.client.mirror import Mirror
from ui.views.alertbook import AlertBook
from ui.views.chart import Charts
from ui.views.feeds import Feeds
from ui.views.happened import Happened
from ui.views.index import SeriesIndex
from ui.views.rates import Rates


class Sight:
    """Pages read these; looking at another time swaps them all at once."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self.feeds = Feeds(mirror)
        self.index = SeriesIndex(mirror)
        self.book = AlertBook(mirror)
        self.charts = Charts(Happened(mirror))
        self.rates = Rates()

    def changed(self, what: set[str]) -> None:
        """What of it the mirror says has changed."""
        if "alerts" in what or "rules" in what:
            self.book.refresh()
        if "health" in what:
            self.rates.add(self.mirror.health)
