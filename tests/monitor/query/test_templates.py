"""Templates of Prometheus rules: as Debian's Prometheus fills them in, and bounded whatever they say."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.query.evaluator import Evaluator
from monitor.query.history import QueryError
from monitor.query.memory import MemoryHistory
from monitor.query.quoting import unquote
from monitor.query.templates import Answers, Surroundings, UnansweredError, expand, failed, problem_of
from monitor.text.gotemplate.values import number
from tests.monitor.query.template_cases import TEMPLATES, VALUES
from tests.peers import need

HOSTS = {"a": 5.0, "b": 7.25, "c.d": 1e6}


def filled(text: str, value: float, around: Surroundings | None = None) -> str:
    """The template of `m{host="web:9090"}`, its queries answered."""
    history, answers = MemoryHistory(), Answers()
    for host, said in HOSTS.items():
        history.append((("__name__", "other"), ("host", host)), np.array([0]), np.array([said]))
    while True:
        try:
            return expand(text, {"__name__": "m", "host": "web:9090"}, value, "A", around or Surroundings(), answers)
        except UnansweredError:
            for query in answers.taken():
                try:
                    answers.known[query] = Evaluator(history).instant(query, 0)
                except QueryError as error:
                    answers.known[query] = failed(error)


@pytest.mark.peer
def test_every_template_gives_what_prometheus_makes_of_it(tmp_path: Path) -> None:
    promtool = need("promtool", "prometheus")
    readable = [text for text in TEMPLATES if not problem_of(text)]
    notes = {f"t{place:03d}": text for place, text in enumerate(readable)}
    rule = {"alert": "A", "expr": "m", "annotations": notes}
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": [rule]}]}))
    others = [{"series": f'other{{host="{host}"}}', "values": number(said)} for host, said in HOSTS.items()]
    tests = [
        {
            "input_series": [{"series": 'm{host="web:9090"}', "values": repr(value)}, *others],
            "alert_rule_test": [{"eval_time": "0m", "alertname": "A", "exp_alerts": [{"exp_labels": {"host": "none"}}]}],
        }
        for value in VALUES
    ]
    (tmp_path / "tests.yml").write_text(json.dumps({"rule_files": ["rules.yml"], "tests": tests}))
    done = subprocess.run([promtool, "test", "rules", str(tmp_path / "tests.yml")], capture_output=True, text=True, check=False)
    told = (done.stdout + done.stderr).split("got:")[1:]
    assert len(told) == len(VALUES), done.stdout + done.stderr
    for value, said in zip(VALUES, told, strict=True):
        theirs = {name: unquote(text) for name, text in re.findall(r'(t\d{3})=("(?:[^"\\]|\\.)*")', said)}
        assert {name: filled(text, value) for name, text in notes.items()} == theirs


@pytest.mark.peer
@pytest.mark.parametrize(
    "text",
    [
        "{{ foo }}",
        "{{ $foo }}",
        "{{ if true }}",
        "{{ end }}",
        "{{ $value",
        "{{ break }}",
        "{{ }}",
        '{{ "a }}',
        "{{ ( }}",
        "{{ 1 | 2 }}",
    ],
)
def test_what_prometheus_cannot_read_we_refuse_too(text: str, tmp_path: Path) -> None:
    promtool = need("promtool", "prometheus")
    rule = {"alert": "A", "expr": "m", "annotations": {"t": text}}
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": [rule]}]}))
    done = subprocess.run([promtool, "check", "rules", str(tmp_path / "rules.yml")], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert problem_of(text)
    assert filled(text, 1.0).startswith("<error expanding template: error parsing template __alert_A: template: __alert_A:1: ")


def test_labels_of_the_server_and_its_address_are_known() -> None:
    around = Surroundings({"region": "eu"}, "https://mon.example.com/prom")
    assert (
        filled("{{ $externalLabels.region }} {{ externalURL }} {{ pathPrefix }}", 1.0, around)
        == "eu https://mon.example.com/prom /prom"
    )


def test_a_template_that_would_go_on_for_ever_or_write_without_end_is_ended() -> None:
    deep = '{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}'
    assert "exceeded maximum template depth" in filled(deep, 1.0)
    wide = '{{ define "a" }}xxxxxxxxxx{{ end }}' + "".join(
        f'{{{{ define "{after}" }}}}' + f'{{{{ template "{before}" }}}}' * 10 + "{{ end }}"
        for before, after in zip("abcde", "bcdef", strict=True)
    )
    assert "writes more than" in filled(wide + '{{ template "f" }}', 1.0) or "steps" in filled(wide + '{{ template "f" }}', 1.0)
    assert filled('{{ printf "%999999999d" 1 }}', 1.0).startswith("%!(BADWIDTH)")
    assert "at most" in filled("{{ " + "x" * 70_000, 1.0)


def test_only_so_many_queries_are_asked() -> None:
    answers = Answers()
    for place in range(150):
        try:
            text = expand(f'{{{{ query "m{place}" }}}}', {}, 1.0, "A", answers=answers)
        except UnansweredError:
            continue
        assert "100 different queries at most" in text
    assert len(answers.taken()) == 100


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "{{",
                    "}}",
                    "{{-",
                    "-}}",
                    "$value",
                    "$labels",
                    ".host",
                    "|",
                    "humanize",
                    "if",
                    "else",
                    "end",
                    "range",
                    "with",
                    "(",
                    ")",
                    " ",
                ]
            ),
            st.sampled_from(
                ["printf", '"%d"', "1", "1.5", "nil", "true", "index", "first", "define", "template", ":=", "=", "$x", ",", "."]
            ),
            st.text(max_size=3),
        ),
        max_size=25,
    )
)
def test_anything_is_filled_in_or_an_error_in_its_place(parts: list[str]) -> None:
    assert isinstance(filled("".join(parts), 1.5), str)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back_as_what_it_was(value: float) -> None:
    assert float(number(value)) == value
