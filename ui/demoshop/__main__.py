"""`python -m ui.demoshop`."""

from __future__ import annotations

import sys

from ui.demoshop.command import main

if __name__ == "__main__":
    sys.exit(main())
