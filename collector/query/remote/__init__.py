"""Answers from a remote store with Prometheus' API, the recent part from the samples at hand."""

from collector.query.remote.history import RemoteHistory
from collector.query.remote.source import RemoteSource

__all__ = ["RemoteHistory", "RemoteSource"]
