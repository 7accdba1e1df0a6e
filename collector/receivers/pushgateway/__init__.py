"""The API of the Pushgateway: short-lived jobs leave their metrics here, and they stay until they are deleted."""

from collector.receivers.pushgateway.receiver import PushReceiver

__all__ = ["PushReceiver"]
