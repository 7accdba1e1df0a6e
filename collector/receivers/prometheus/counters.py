"""What the scrapes of all targets cost and lost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ScrapeCounters:
    """Counts since the start. `missed`: scrapes left out because the one before lasted; `dropped`: series that metric relabelling
    dropped; `oversized`: series over the bounds of a name or tag; `histograms_lost`: those that
    nobody took; `duplicates`: samples of a series that had one already."""

    scrapes: int = 0
    failed: int = 0
    missed: int = 0
    samples: int = 0
    duplicates: int = 0
    not_finite: int = 0
    ahead: int = 0
    oversized: int = 0
    dropped: int = 0
    histograms: int = 0
    histograms_lost: int = 0

    def figures(self) -> dict[str, float]:
        """By the names of health figures."""
        return {
            "scrapes_total": self.scrapes,
            "scrapes_failed_total": self.failed,
            "scrapes_missed_total": self.missed,
            "scrape_samples_total": self.samples,
            "scrape_duplicates_total": self.duplicates,
            "scrape_not_finite_total": self.not_finite,
            "scrape_ahead_total": self.ahead,
            "scrape_oversized_total": self.oversized,
            "scrape_relabel_dropped_total": self.dropped,
            "scrape_histograms_total": self.histograms,
            "scrape_histograms_lost_total": self.histograms_lost,
        }
