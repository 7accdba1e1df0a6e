"""The shop's services: what they are written in, how they report, and how much they bear."""

from __future__ import annotations

from dataclasses import dataclass

MIB = float(1 << 20)


@dataclass(frozen=True, slots=True)
class Service:
    """`datadog`: its traces go by Datadog's protocol, else by OTLP. `memory`: bytes at rest. `share`: of what it bears that the
    usual traffic takes (0 to 1): what is nearer to 1 slows down sooner. `json_logs`: it writes its log lines as JSON.
    """

    name: str
    language: str
    version: str
    memory: float
    share: float
    datadog: bool = False
    json_logs: bool = False

    @property
    def host(self) -> str:
        """The machine it runs on."""
        return f"{self.name}-1"


SERVICES: dict[str, Service] = {
    each.name: each
    for each in (
        Service("edge", "cpp", "1.31.2", 90 * MIB, 0.15),
        Service("web", "nodejs", "5.2.0", 310 * MIB, 0.26),
        Service("cart", "go", "1.18.3", 64 * MIB, 0.18),
        Service("catalog", "java", "4.7.1", 720 * MIB, 0.24, json_logs=True),
        Service("search", "java", "2.9.0", 940 * MIB, 0.33),
        Service("checkout", "go", "3.4.2", 82 * MIB, 0.20),
        Service("orders", "java", "2.13.4", 610 * MIB, 0.22),
        Service("payments", "java", "6.0.5", 540 * MIB, 0.18, datadog=True, json_logs=True),
        Service("mailer", "python", "1.6.0", 118 * MIB, 0.20),
        Service("inventory", "ruby", "2.2.8", 205 * MIB, 0.20, datadog=True),
        Service("recommendations", "python", "3.7.2", 420 * MIB, 0.24),
        Service("users", "python", "7.1.1", 160 * MIB, 0.20, datadog=True),
    )
}
ENVIRONMENT = "demo"
TOPIC = "orders"
PROVIDER = "api.paypoint.example"
MAIL_RELAY = "smtp.mailroute.example"


def slowdown(service: str, load: float) -> float:
    """How many times longer work takes at this load (1: the usual) than at the usual one: an M/M/1 queue, held at 0.93."""
    share = SERVICES[service].share
    return (1.0 - share) / (1.0 - min(0.93, share * load))
