"""Recent spans and logs, kept in packed blocks and searched: `TraceStore` (docs/traces.md)."""

from collector.storage.traces.answering import answer
from collector.storage.traces.database import TraceStoreError
from collector.storage.traces.questions import LogSearch, TraceSearch
from collector.storage.traces.settings import TraceSettings
from collector.storage.traces.store import TraceStore

__all__ = ["LogSearch", "TraceSearch", "TraceSettings", "TraceStore", "TraceStoreError", "answer"]
