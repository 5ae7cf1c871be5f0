"""Writes docs/loop.md from the table of the loop (models/loop.py): ``python docs/draw_loop.py [--check]``.

The chart is drawn by PyPI ``transitions`` in Mermaid, which pages of a repository show as a picture.
"""

import logging
import re
import sys
from pathlib import Path
from typing import Any

from transitions import State as Node
from transitions.extensions import GraphMachine

from deploy.commands.proof import HEADINGS, cells
from models.loop import TABLE, Action, Phase, State

PAGE = Path(__file__).parent / "loop.md"

_HEAD = """# The loop 闭环

Written by `make loop` from the table in `models/loop.py`, which is what the platform obeys; do not edit by hand.
`campus-risk loop --table` prints the same table.
"""
_CHART = """
## As a chart 状态图

From 待研判, where a report opens a hazard, to 已归档; beside it 不属实 and 已合并. What leaves the state as it is stands below.
"""
_KEPT = """
## Without a change of state 状态不变

These are said along the way. Each is an event of the trail like any other.
"""


class _Labelled(Node):  # type: ignore[misc]
    """A state with the word that the chart shows."""

    def __init__(self, *given: Any, label: str = "", **more: Any) -> None:
        super().__init__(*given, **more)
        self.label = label


class _Machine(GraphMachine):  # type: ignore[misc]
    state_cls = _Labelled


def chart() -> str:
    """The state chart as Mermaid: every row that changes the state, one arrow a pair of states."""
    logging.getLogger("transitions").setLevel(logging.ERROR)
    states = [{"name": state.value, "label": state.label} for state in State]
    moves = [
        {"trigger": row.action.value, "label": row.action.label, "source": source.value, "dest": row.target.value}
        for row in TABLE
        if row.target is not None
        for source in row.sources
    ]
    machine = _Machine(
        states=states,
        transitions=moves,
        initial=State.REPORTED.value,
        auto_transitions=False,
        graph_engine="mermaid",
        # It stands between the chart's own dashes, where Mermaid reads YAML.
        title="title: 闭环",
    )
    drawn = str(machine.get_graph().draw(None))
    # Where somebody stands in it is of no meaning here, nor are the colours of a machine that runs.
    kept = [line for line in drawn.splitlines() if not re.match(r"\s*(classDef|Class) ", line)]
    return "\n".join(line.rstrip() for line in kept)


def table() -> str:
    """The table as Markdown."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(cells(row) for row in TABLE)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def kept() -> str:
    """What leaves the state as it is, a line an action."""
    found: dict[Action, list[State]] = {}
    for row in TABLE:
        if row.target is None:
            found.setdefault(row.action, []).extend(s for s in row.sources if s not in found.get(row.action, []))
    return "\n".join(f"- {action.label}：{'、'.join(s.label for s in states)}" for action, states in found.items())


def phases() -> str:
    """Which states belong to which phase."""
    lines = [f"- {phase.label}：{'、'.join(s.label for s in State if s.phase is phase)}" for phase in Phase]
    beside = "、".join(state.label for state in State if state.phase is None)
    return "\n".join([*lines, f"- 旁路：{beside}"])


def page() -> str:
    """The whole page."""
    return "\n".join(
        [_HEAD, phases(), _CHART, "```mermaid", chart(), "```", _KEPT, kept(), "\n## As a table 流转表\n", table(), ""]
    )


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(
            0
            if PAGE.exists() and PAGE.read_text("utf-8") == page()
            else "docs/loop.md is older than the loop: make loop"
        )
    PAGE.write_text(page(), "utf-8")
