"""How much personal data the filter finds in labelled texts, and how fast it goes through logs that hold little.

`python -m tests.benchmarks.pii [FILE]`: FILE has JSON lines (may be packed with gzip) of `text` and `spans` with `entity_type`,
`start_position` and `end_position`. A find counts where kind, beginning and end are all right. Without FILE only the throughput.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from monitor.pipeline.found import PiiKind
from monitor.pipeline.pii import PiiFilter, PiiPolicy
from tests.benchmarks.report import report

LABELS = {
    "EMAIL_ADDRESS": "email",
    "IP_ADDRESS": "ip",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "ssn",
    "PHONE_NUMBER": "phone",
}
"""Labels that are patterns. Others (people in free text, places, dates, ages, titles, domains) are no kinds of the filter."""
KINDS = {
    PiiKind.EMAIL: "email",
    PiiKind.IPV4: "ip",
    PiiKind.IPV6: "ip",
    PiiKind.CARD: "card",
    PiiKind.IBAN: "iban",
    PiiKind.SSN: "ssn",
    PiiKind.PHONE: "phone",
}
"""What is compared: names, tokens and secrets have no label in these texts and are left out."""
_HARMLESS = (
    "{date}T{time}.{ms:03d}Z INFO  [http-nio-8080-exec-{n}] c.e.shop.OrderService - order {big} stored in {f:.3f} ms",
    "{date} {time},{ms:03d} DEBUG pool-{n}-thread-{m} HikariPool-1 - Pool stats (total=10, active={n}, idle={m}, waiting=0)",
    'level=info ts={epoch} caller=compact.go:{big} msg="write block" mint={epoch}000 maxt={epoch}999 ulid={hex16} took={f}s',
    '{{"ts":{epoch}.{ms:03d},"level":"warn","msg":"slow","rows":{big},"trace_id":"{hex32}","span_id":"{hex16}","took_ms":{f:.2f}}}',
    "I{m:04d} {time}.{ms:03d}000 {n} controller.go:{m}] synced pod kube-system/coredns-{hex8}-{hex5} in {f:.1f}ms, uid {uuid}",
    "GET /api/v2/items/{big}?limit=50&offset={m} HTTP/1.1 200 {big} {f:.4f} upstream=orders-v{n} request_id={uuid}",
    "{syslog} node-{n} systemd[1]: session-{big}.scope: Consumed {f:.3f}s CPU time, {m}M memory peak",
    "std::runtime_error at engine::Store::flush (store.cc:{m}): expected {big} bytes, found {big2}",
    "[{big}.{ms:06d}] eth0: link up, 1000 Mbps, full duplex, MAC 02:42:ac:11:{hex2}:{hex2}, mtu 1500, flags 0x{hex8}",
    "goroutine {m} [running]: main.(*Server).handle(0xc000{hex5}0, {{0x{hex8}, 0xc000{hex5}0}}) /src/server.go:{m} +0x1a5",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/12{n}.0.0.0 Safari/537.36",
    "partition orders-{n} offset {epoch}{m} lag {big} key=order:{big} commit took {f:.0f}ms checksum {hex32}",
)
_TELLING = (
    "{date} {time} login of maria.lopez{m}@example.com from 203.0.113.{n} succeeded",
    "payment refused for card 4111 1111 1111 1111, phone +44 20 7946 0{ms:03d}",
    'POST /signup {{"full_name": "Ada Lovelace", "password": "tr0ub4dor&{m}"}}',
)


def log_lines(count: int, telling: float = 0.03) -> list[str]:
    """Lines as programs write them; `telling` of them hold something."""
    dice = random.Random(7)

    def hexes(length: int) -> str:
        return f"{dice.getrandbits(4 * length):0{length}x}"

    lines = []
    for _ in range(count):
        template = dice.choice(_TELLING if dice.random() < telling else _HARMLESS)
        n, m, moment = dice.randrange(10), dice.randrange(1000), 1_700_000_000 + dice.randrange(10**7)
        values = {
            "n": n, "m": m, "ms": dice.randrange(1000), "big": dice.randrange(10**7), "big2": dice.randrange(10**9),
            "f": dice.random() * 900, "epoch": moment, "date": time.strftime("%Y-%m-%d", time.gmtime(moment)),
            "time": time.strftime("%H:%M:%S", time.gmtime(moment)), "hex2": hexes(2),
            "syslog": time.strftime("%b %d %H:%M:%S", time.gmtime(moment)),
            "hex5": hexes(5), "hex8": hexes(8), "hex16": hexes(16), "hex32": hexes(32),
            "uuid": f"{hexes(8)}-{hexes(4)}-4{hexes(3)}-a{hexes(3)}-{hexes(12)}",
        }  # fmt: skip
        lines.append(template.format_map(values))
    return lines


def whole_filter() -> PiiFilter:
    return PiiFilter(dict.fromkeys(PiiKind, PiiPolicy.REDACT))


def megabytes_per_second(lines: list[str], rounds: int = 3) -> float:
    """The best of some rounds, in CPU time of this process."""
    size = sum(len(line.encode()) for line in lines) / 1e6
    rates = []
    for _ in range(rounds):
        cleaner = whole_filter()
        cleaner.texts(lines[:100])
        began = time.process_time()
        cleaner.texts(lines)
        rates.append(size / (time.process_time() - began))
    return max(rates)


def labelled(path: Path) -> list[dict[str, Any]]:
    """The texts of a file with their labels."""
    packed = path.read_bytes()
    text = (gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed).decode("utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def scored(rows: list[dict[str, Any]]) -> dict[str, float]:
    """`precision` and `recall` of all pattern kinds together, then of each kind with the number of its labels."""
    cleaner, right, said, wanted = whole_filter(), Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        labels = {
            (LABELS[span["entity_type"]], span["start_position"], span["end_position"])
            for span in row["spans"]
            if span["entity_type"] in LABELS
        }
        found = {(KINDS[each.kind], each.start, each.end) for each in cleaner.find(row["text"]) if each.kind in KINDS}
        right.update(kind for kind, _, _ in labels & found)
        said.update(kind for kind, _, _ in found)
        wanted.update(kind for kind, _, _ in labels)
    figures = {
        "precision": round(right.total() / max(said.total(), 1), 4),
        "recall": round(right.total() / max(wanted.total(), 1), 4),
    }
    for kind in sorted(set(wanted) | set(said)):
        figures[f"{kind}_labels"] = wanted[kind]
        figures[f"{kind}_precision"] = round(right[kind] / max(said[kind], 1), 4)
        figures[f"{kind}_recall"] = round(right[kind] / max(wanted[kind], 1), 4)
    return figures


def false_alarms(lines: list[str]) -> int:
    """Finds in lines that hold nothing."""
    cleaner = whole_filter()
    return sum(len(cleaner.find(line)) for line in lines)


def run(arguments: list[str]) -> dict[str, Any]:
    figures: dict[str, Any] = scored(labelled(Path(arguments[0]))) if arguments else {}
    lines = log_lines(30_000)
    return {
        **figures,
        "mb_per_s": round(megabytes_per_second(lines), 1),
        "mb_per_s_all_telling": round(megabytes_per_second(log_lines(5_000, 1.0)), 1),
        "false_alarms_in_100000_log_lines": false_alarms(log_lines(100_000, 0.0)),
    }


if __name__ == "__main__":
    report("pii", run(sys.argv[1:]), {"precision": (0.95, None), "recall": (0.95, None), "mb_per_s": (20, None)})
