"""StatsD and DogStatsD over UDP, TCP and Unix datagram sockets."""

from __future__ import annotations

from collector.receivers.statsd.parser import Counters, Limits, MalformedLine, StatsdParser
from collector.receivers.statsd.receiver import EventSink
from collector.receivers.statsd.tcp import TcpListener
from collector.receivers.statsd.udp import UdpListener
from collector.receivers.statsd.unix import UnixListener

__all__ = ["Counters", "EventSink", "Limits", "MalformedLine", "StatsdParser", "TcpListener", "UdpListener", "UnixListener"]
