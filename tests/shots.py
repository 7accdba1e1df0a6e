"""`make shots`: paints the README's pictures anew from the demonstration data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"


def main() -> int:
    """Each front end in a process of its own: two toolkits in one would only be in each other's way."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "default.warning=false"}
    for name in ("shots_desktop", "shots_terminal"):
        code = f"from pathlib import Path; from tests.{name} import shoot; shoot(Path({str(ASSETS)!r}))"
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    for picture in sorted(ASSETS.glob("*.png")):
        print(picture.relative_to(ASSETS.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
