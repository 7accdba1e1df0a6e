"""Traces of Datadog's tracers, received as their agent does."""

from __future__ import annotations

from collector.receivers.datadog.receiver import DatadogCounters, DatadogReceiver
from collector.receivers.datadog.server import DatadogServer

__all__ = ["DatadogCounters", "DatadogReceiver", "DatadogServer"]
