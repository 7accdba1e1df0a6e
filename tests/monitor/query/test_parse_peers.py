"""The parser beside others: Debian's promtool, the promql-parser library, and every expression of Prometheus' own tests."""

from __future__ import annotations

import json
import random
import re
import subprocess
from pathlib import Path

import promql_parser
import pytest
from hypothesis import assume, given, settings

from monitor.query.format import pretty
from monitor.query.history import ParseError
from monitor.query.parse import parse
from tests.monitor.query.grammar import expressions
from tests.peers import need

SUITE = Path(__file__).parents[3].parent / "shared" / "data" / "promql"
EVALUATION = re.compile(r"\s*eval(?:_\w+)? (?:instant at \S+|range from \S+ to \S+ step \S+) (.+)")

PLAIN = """
foo sum rate ( ) , by without on (a) [5m] [5m:1m] 1 - + * ^ == bool and or group_left 's' } = time() topk ignoring(a) foo[5m]
unless foo:bar inf != < % atan2 sum(foo) rate(foo[5m]) sum( a, {a=~ foo{ 0x1f ~ `raw ] bar{a="b"} {a='b'} foo{a=} abs(1) no(foo)
"""
WORDS = [*PLAIN.split(), "offset 5m", "by (a)", "on (", "\n", "#c\n", "@ 5", "1 > 2", "foo @ "]


def ours(text: str) -> str:
    try:
        parse(text)
    except ParseError as error:
        return str(error)
    return "read"


def promtool(texts: list[str], folder: Path) -> list[str]:
    groups = [f"- name: g{n}\n  rules:\n  - record: r\n    expr: {json.dumps(text)}\n" for n, text in enumerate(texts)]
    rules = folder / "rules.yml"
    rules.write_text("groups:\n" + "".join(groups), encoding="utf-8")
    program = need("promtool", "prometheus")
    done = subprocess.run([program, "check", "rules", str(rules)], capture_output=True, text=True, check=False)
    refused = re.findall(r'group "g(\d+)", rule 1, "r": could not parse expression: (.*)', done.stdout + done.stderr)
    said = {int(n): message for n, message in refused}
    return [said.get(n, "read") for n in range(len(texts))]


def changed_since(text: str, said: str) -> bool:
    """Where today's language, or ours on purpose, differs from that of Debian's Prometheus 2.42."""
    return (
        "right parenthesis" in said  # points behind the parenthesis instead of at it
        or "<Item" in said  # @ had no name
        or ("string" in said and "expected identifier" in said)  # quoted names within braces
        or "missing unit" in said  # [5m with nothing behind it
        or "duration" in said  # numbers may be durations, durations numbers
    )


@pytest.mark.peer
@pytest.mark.parametrize("seed", range(3))
def test_nonsense_is_refused_in_the_words_and_at_the_place_promtool_names(seed: int, tmp_path: Path) -> None:
    picks = random.Random(seed)
    drawn = [" ".join(picks.choices(WORDS, k=picks.randint(1, 6))) for _ in range(1500)]
    texts = [text for text in dict.fromkeys(drawn) if text.strip()]
    compared = [(text, said, ours(text)) for text, said in zip(texts, promtool(texts, tmp_path), strict=True)]
    differing = [case for case in compared if case[1] != case[2] and not changed_since(case[0], case[1])]
    assert differing == []
    assert sum(said == mine for _, said, mine in compared) > 0.9 * len(compared)


@settings(max_examples=400, deadline=None)
@given(expressions())
def test_the_library_reads_and_writes_the_same(text: str) -> None:
    assume("1_000" not in text)  # newer than the library
    try:
        theirs = promql_parser.parse(text).prettify()
    except ValueError:
        assert ours(text) != "read"
        return
    mine = pretty(parse(text))
    # The library drops a unary plus, `on ()` and `ignoring ()`, and indents subqueries; Prometheus does as we do.
    assume(not any(part in text for part in ("+(", "Inf", "on()", "ignoring()")))
    assume("\n" not in mine or ")[1h:" not in mine)
    assert mine == theirs


def suite_expressions() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in sorted(SUITE.glob("*.test")):
        evaluated = map(EVALUATION.fullmatch, path.read_text("utf-8").splitlines())
        found.extend((path.name, line[1]) for line in evaluated if line)
    return found


@pytest.mark.skipif(not SUITE.is_dir(), reason="Prometheus' PromQL tests are not beside the repository (shared/data/promql)")
def test_every_expression_of_prometheus_tests_is_read() -> None:
    cases = suite_expressions()
    assert len(cases) > 1000
    assert [(name, text, said) for name, text in cases if (said := ours(text)) != "read"] == []
