"""Queries as the collector serves them: bounded in number and time, away from the event loop."""

from collector.query.job import Job, OverloadedError, QueryLimits
from collector.query.local import LocalSource
from collector.query.service import QueryCounters, QueryService, QuerySource

__all__ = ["Job", "LocalSource", "OverloadedError", "QueryCounters", "QueryLimits", "QueryService", "QuerySource"]
