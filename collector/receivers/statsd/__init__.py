"""StatsD and DogStatsD over UDP and Unix datagram sockets."""

from __future__ import annotations

from collector.receivers.statsd.parser import Counters, Limits, MalformedLine, StatsdParser
from collector.receivers.statsd.udp import UdpListener
from collector.receivers.statsd.unix import UnixListener

__all__ = ["Counters", "Limits", "MalformedLine", "StatsdParser", "UdpListener", "UnixListener"]
