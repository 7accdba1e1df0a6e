"""Object arrays of histograms: where they are, and only some of them."""

from __future__ import annotations

import numpy as np

from monitor.query.history import Cells, Mask


def there(cells: Cells) -> Mask:
    """Where a histogram is."""
    mask: Mask = cells != None  # noqa: E711  # elementwise
    return mask


def only(mask: Mask, cells: Cells) -> Cells:
    """The histograms where the mask holds, None elsewhere; both broadcast to one shape."""
    found: Cells = np.full(np.broadcast_shapes(mask.shape, cells.shape), None, object)
    np.copyto(found, cells, where=mask)
    return found
