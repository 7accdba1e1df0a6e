"""Prometheus scrapes: the exposition formats, the targets, how they are found and their health."""

from collector.receivers.prometheus.job import ScrapeJob
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.prometheus.scraper import Scraper
from collector.receivers.prometheus.series import ScrapeCounters
from collector.receivers.prometheus.target import DroppedTarget, ScrapeTarget, TargetHealth

__all__ = [
    "DroppedTarget",
    "ExpositionError",
    "ExpositionLimits",
    "LimitError",
    "ScrapeCounters",
    "ScrapeJob",
    "ScrapeTarget",
    "Scraper",
    "TargetHealth",
]
