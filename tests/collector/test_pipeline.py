"""What the settings say is done with what comes in: the steps, and personal data taken out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from collector.pipeline import Pipeline
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.settings.load import Settings, load_settings
from tests.monitor.topology.spans import One, spans_of
from tests.running import collector, until


def settings(text: str) -> Settings:
    return load_settings(text, "lightship.toml", {})


def batch(*tags: tuple[str, str]) -> Batch:
    space = KeySpace()
    space.add(series_key("m", tags), Kind.GAUGE)
    return Batch(space, np.zeros(1, np.int32), np.ones(1), np.ones(1))


def test_without_settings_everything_comes_back_as_it_is() -> None:
    pipeline, one, spans = Pipeline(settings("")), batch(("a", "b")), spans_of([One("api", 1)])
    assert pipeline.samples([one])[0] is one
    assert pipeline.spans(spans) is spans


def test_steps_and_the_filter_are_done_in_their_order() -> None:
    text = """pii = { email = "redact" }
[[pipeline]]
add = { env = "prod" }
[[pipeline]]
rename = { host = "node" }
"""
    (done,) = Pipeline(settings(text)).samples([batch(("host", "w1"), ("user", "mira@example.org"))])
    assert done.space.keys[0].tags == (("env", "prod"), ("node", "w1"), ("user", "[email]"))


def test_spans_get_the_tags_that_everything_gets_and_lose_what_is_personal() -> None:
    text = 'pii = { email = "redact" }\n[[pipeline]]\nadd = { env = "prod" }\n'
    done = Pipeline(settings(text)).spans(spans_of([One("api", 1, name="mail to mira@example.org")]))
    assert done.texts[done.names[0]] == "mail to [email]"
    assert msgspec.msgpack.decode(done.details[0])["resource"]["env"] == "prod"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('pii = { shoe = "redact" }', "kinds are"),
        ('pii = { email = "burn" }', "redact"),
        ('pii = ["email"]', "write what is done"),
        ('pii = { email = "hash" }\npii_key = "short"', "16 or more"),
        ('[[pipeline]]\nadd = { a = "b" }\nremove = ["c"]\n', "one of"),
        ('[[pipeline]]\ndrop = "{"\n', "drop"),
        ("[[pipeline]]\nthin = 0\n", "one of"),
        ('[[pipeline]]\nthin = 0.5\nremove = ["c"]\n', "one of"),
    ],
)
def test_settings_that_make_no_sense_are_told_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(OSError, match=said):
        Pipeline(settings(text))


def test_a_step_thins_by_the_share_the_settings_say() -> None:
    text = "[[pipeline]]\nthin = 0.1\nwhere = 'busy'\n"
    pipeline, space = Pipeline(settings(text)), KeySpace()
    space.add(series_key("busy"), Kind.DISTRIBUTION)
    (done,) = pipeline.samples([Batch(space, np.zeros(5000, np.int32), np.ones(5000), np.ones(5000))])
    assert done.weights is not None
    assert set(done.weights.tolist()) == {10.0}
    assert done.weights.sum() == pytest.approx(5000, rel=0.3)
    assert pipeline.figures()["processors_thinned_samples_total"] == 5000 - len(done)


def test_a_collector_does_it_with_what_is_sent_to_it(tmp_path: Path) -> None:
    text = 'host = false\npii = { email = "redact" }\n[[pipeline]]\nadd = { env = "prod" }\n'
    with collector(tmp_path, text) as one:
        one.send("logins:1|c|#user:mira@example.org")
        assert until(lambda: one.get("logins"), "it came") == {"logins,env=prod,user=[email]": pytest.approx(1 / 60, rel=1)}
        assert "lightship_pii_email_total 1" in one.metrics()
