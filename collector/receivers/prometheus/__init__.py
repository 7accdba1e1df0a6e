"""Prometheus scrapes: the exposition formats, the targets and their health."""

from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.prometheus.scraper import Scraper
from collector.receivers.prometheus.series import ScrapeCounters
from collector.receivers.prometheus.target import ScrapeTarget, TargetHealth

__all__ = ["ExpositionError", "ExpositionLimits", "LimitError", "ScrapeCounters", "ScrapeTarget", "Scraper", "TargetHealth"]
