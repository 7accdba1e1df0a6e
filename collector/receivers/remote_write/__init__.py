"""Prometheus remote write, 1.0 and 2.0, as a receiver."""

from collector.receivers.remote_write.receiver import RemoteWriteReceiver

__all__ = ["RemoteWriteReceiver"]
