"""docs/loop.md is what the table says now, and the chart holds every way there is."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from models.loop import TABLE, State

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    """The script's names."""
    return runpy.run_path(str(DOCS / "draw_loop.py"))


def test_the_page_is_not_older_than_the_table(drawn: dict[str, Any]) -> None:
    assert (DOCS / "loop.md").read_text("utf-8") == drawn["page"](), "docs/loop.md is older than the loop: make loop"


def test_the_chart_holds_every_state_and_every_way(drawn: dict[str, Any]) -> None:
    chart = drawn["chart"]()
    assert {f'state "{s.label}" as {s.value}' for s in State} <= {line.strip() for line in chart.splitlines()}
    arrows = {
        (source, target, label)
        for source, target, labels in re.findall(r"(\w+) --> (\w+): (.+)", chart)
        for label in labels.split(" | ")
    }
    assert arrows == {(s.value, row.target.value, row.action.label) for row in TABLE if row.target for s in row.sources}
    assert "[*] --> reported" in chart


def test_the_table_holds_every_row(drawn: dict[str, Any]) -> None:
    assert len(drawn["table"]().splitlines()) == len(TABLE) + 2
