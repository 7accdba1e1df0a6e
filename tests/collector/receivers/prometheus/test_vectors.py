"""The OpenMetrics project's own test vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.receivers.prometheus import ExpositionError
from collector.receivers.prometheus.exposition_parser import ExpositionParser

VECTORS = Path(__file__).parents[5] / "shared" / "data" / "openmetrics"
CASES = sorted(path.parent for path in VECTORS.glob("*/test.json"))

pytestmark = pytest.mark.skipif(not CASES, reason="the folder shared/data/openmetrics beside the repository is absent")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_vector_is_judged_as_it_says(case: Path) -> None:
    expected = json.loads((case / "test.json").read_text())["shouldParse"]
    body = (case / "metrics").read_bytes()
    parser = ExpositionParser(openmetrics=True)
    for _ in range(3):
        if expected:
            parser.parse(body)
        else:
            with pytest.raises(ExpositionError):
                parser.parse(body)
