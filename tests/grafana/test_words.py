"""What grafana/ says for itself, held to the models, the docs and its own fences."""

import ast
import json
from pathlib import Path

import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard

import grafana
from grafana import words
from grafana.alerts import ALERTS
from grafana.dashboards import boards
from grafana.query import PostgresQuery, Query
from grafana.resource import plain
from models.chain import ClimbReason
from models.deadlines import Kind
from models.levels import Level
from models.loop import State
from models.taxonomy import categories

ROOT = Path(__file__).parents[2]


def test_labels_are_those_of_the_models() -> None:
    assert {level.value: level.label for level in Level} == words.LEVELS
    assert {state.value: state.label for state in State} == words.STATES
    assert {kind.value: kind.label for kind in Kind} == words.DEADLINES
    assert categories() == words.CATEGORIES
    assert set(words.REASONS) == {reason.value for reason in ClimbReason}


def test_the_package_stands_alone() -> None:
    package = Path(str(grafana.__file__)).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module or ""]
            assert not {name.partition(".")[0] for name in names} & {"models", "store", "api", "streams", "deploy"}, (
                path
            )


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_each_rule_has_a_runbook_that_exists(alert: object) -> None:
    page = ROOT / "docs" / "runbooks" / alert.runbook  # type: ignore[attr-defined]
    assert page.exists()


def test_dashboards_are_read_back_by_the_sdk_as_they_were_built() -> None:
    for board in boards():
        body = json.loads(json.dumps(board.body["dashboard"]))
        again = Dashboard.from_json(body)
        assert isinstance(again.panels[0].targets[0], PostgresQuery)  # type: ignore[index, union-attr]
        assert plain(again)["panels"][0]["targets"] == body["panels"][0]["targets"]


def test_a_query_lies_on_one_line_and_comes_back_as_it_was() -> None:
    built = Query("SELECT 1\n   AS value").ref_id("C").shape("time_series").alerting().build()
    assert built.to_json()["rawSql"] == "SELECT 1 AS value"
    assert PostgresQuery.from_json(built.to_json()).to_json() == built.to_json()
    with pytest.raises(KeyError):
        PostgresQuery.from_json({"refId": "A", "sql": {}})
