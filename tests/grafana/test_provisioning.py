"""The files that a container reads: those in the repository are those that the code writes."""

import json
import re
from pathlib import Path
from typing import Any

from grafana.dashboards import boards
from grafana.folder import TITLES
from grafana.provisioning import files
from tests.grafana.shapes import check, check_board, check_query

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana" / "provisioning"


# What a machine of one's own has, without any setting.
RUNBOOKS = "http://127.0.0.1:8000/docs/runbooks"


def content(name: str) -> Any:
    return files(RUNBOOKS)[name]


def test_what_lies_in_the_repository_is_what_the_code_writes() -> None:
    held = {
        str(path.relative_to(FOLDER)): json.loads(path.read_text("utf-8"))
        for path in FOLDER.rglob("*.*")
        if path.is_file()
    }
    assert held == files(RUNBOOKS), "run campus-risk grafana files deploy/grafana/provisioning"


def test_the_data_source_takes_all_that_differs_from_the_environment() -> None:
    (source,) = content("datasources/campus-risk.yaml")["datasources"]
    check(source, {"uid": str, "name": str, "type": str, "access": str, "url": str, "user": str, "jsonData": dict,
                   "secureJsonData": dict, "orgId": int}, {"isDefault": bool, "editable": bool})  # fmt: skip
    given = re.findall(r"\$\{(\w+)\}", json.dumps(source))
    assert sorted(given) == [
        f"CAMPUS_RISK_GRAFANA_DB_{name}" for name in ("ADDRESS", "NAME", "PASSWORD", "SSL", "USER")
    ]


def test_each_folder_has_its_dashboards() -> None:
    providers = content("dashboards/campus-risk.yaml")["providers"]
    assert [one["folderUid"] for one in providers] == list(TITLES)
    for provider in providers:
        uid = provider["folderUid"]
        assert provider["options"]["path"] == f"/etc/grafana/provisioning/dashboards/{uid}"
        check_board(content(f"dashboards/{uid}/{uid}.json"))
    assert len(boards()) == len(providers)


def test_rules_are_grouped_by_folder_and_hold_no_dollar() -> None:
    groups = content("alerting/campus-risk.yaml")["groups"]
    assert sum(len(group["rules"]) for group in groups) == 5
    for group in groups:
        check(group, {"orgId": int, "name": str, "folder": str, "interval": str, "rules": list})
        assert group["folder"] in TITLES.values()
        for rule in group["rules"]:
            check(rule, {"uid": str, "title": str, "condition": str, "data": list, "noDataState": str, "execErrState": str, "for": str},
                  {"annotations": dict, "labels": dict, "isPaused": bool})  # fmt: skip
            check_query(rule["data"][0]["model"])
            assert rule["annotations"]["runbook_url"].startswith(f"{RUNBOOKS}/")
    # Grafana puts the environment in where a dollar stands, in some of the fields: a macro or a template would be torn.
    assert "$" not in json.dumps(groups)
