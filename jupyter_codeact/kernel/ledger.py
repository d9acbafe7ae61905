"""Which code ran, under which execution count: what `%skill save 3-5` refers to."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..events import RanCell

KEPT = 5000


class Ledger:
    """The cells that ran in this kernel, oldest first."""

    def __init__(self) -> None:
        self.cells: deque[RanCell] = deque(maxlen=KEPT)
        self._open: dict[str, tuple[str, str, bool]] = {}

    def started(self, msg_id: str, code: str, cell_id: str, by_agent: bool = False) -> None:
        self._open[msg_id] = (code, cell_id, by_agent)

    def ended(self, msg_id: str, reply: dict[str, Any]) -> None:
        """Note the end of a request that was started; others (silent ones of front ends) are nobody's cells."""
        opened = self._open.pop(msg_id, None)
        count = reply.get("execution_count")
        if opened is not None and isinstance(count, int):
            code, cell_id, by_agent = opened
            self.cells.append(RanCell(count, cell_id, code, reply.get("status") == "ok", by_agent))
