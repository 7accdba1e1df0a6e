"""The host receiver: what the machine itself is doing."""

from collector.receivers.host.receiver import HostReceiver, HostSettings

__all__ = ["HostReceiver", "HostSettings"]
