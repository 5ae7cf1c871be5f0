"""The same as files: what a Grafana container reads from /etc/grafana/provisioning when it starts.

JSON throughout, which is YAML too; Grafana reads ``.yaml`` only. Whatever is secret, or differs from one deployment to
another, stays outside: Grafana puts the environment's ``CAMPUS_RISK_GRAFANA_*`` in for ``${…}``.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grafana.alerts import GROUP, alerts
from grafana.dashboards import boards
from grafana.datasource import Database, described
from grafana.folder import TITLES

# Where the container finds the dashboards: the folder of these files, mounted (docs/grafana.md).
_DASHBOARDS = "/etc/grafana/provisioning/dashboards"
_VARIABLE = "CAMPUS_RISK_GRAFANA_"
# The database as the environment says. A word of TLS cannot be a variable's name, so it is put in afterwards.
_DATABASE = Database(f"${{{_VARIABLE}DB_ADDRESS}}", f"${{{_VARIABLE}DB_NAME}}", f"${{{_VARIABLE}DB_USER}}", "")


def files(runbooks: str) -> dict[str, Any]:
    """Each file's content, by its path below the provisioning folder. Alert rules go by Grafana's default policy: contact
    points hold secrets and are applied, not provisioned.

    ``runbooks`` is where docs/runbooks can be read. It is written out, for Grafana 11 takes annotations as they stand.
    """
    made: dict[str, Any] = {
        "datasources/campus-risk.yaml": {"apiVersion": 1, "datasources": [_datasource()]},
        "dashboards/campus-risk.yaml": {"apiVersion": 1, "providers": [_provider(uid) for uid in TITLES]},
        "alerting/campus-risk.yaml": {"apiVersion": 1, "groups": _groups(runbooks)},
    }
    for board in boards():
        made[f"dashboards/{board.uid}/{board.uid}.json"] = board.body["dashboard"]
    return made


def write(folder: Path, runbooks: str) -> list[Path]:
    """Write the files that differ; those that were written."""
    written = []
    for name, content in files(runbooks).items():
        path, text = folder / name, json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            written.append(path)
    return written


def _datasource() -> dict[str, Any]:
    described_ = described(_DATABASE)
    inner = described_["jsonData"] | {"sslmode": f"${{{_VARIABLE}DB_SSL}}"}
    secret = {"password": f"${{{_VARIABLE}DB_PASSWORD}}"}
    return described_ | {"orgId": 1, "editable": False, "jsonData": inner, "secureJsonData": secret}


def _provider(uid: str) -> dict[str, Any]:
    return {
        "name": uid,
        "orgId": 1,
        "folder": TITLES[uid],
        "folderUid": uid,
        "type": "file",
        # A dashboard of a file is the file's: a change in the browser would be gone with the next start.
        "allowUiUpdates": False,
        "options": {"path": f"{_DASHBOARDS}/{uid}"},
    }


def _groups(runbooks: str) -> list[dict[str, Any]]:
    rules = [rule.body for rule in alerts(runbooks, notify=False)]
    return [
        {
            "orgId": 1,
            "name": GROUP,
            "folder": title,
            "interval": "1m",
            "rules": [_rule(r) for r in rules if r["folderUID"] == uid],
        }
        for uid, title in TITLES.items()
        if any(r["folderUID"] == uid for r in rules)
    ]


def _rule(body: Mapping[str, Any]) -> dict[str, Any]:
    """As a file has it: group, folder and organisation are told by the group."""
    return {key: value for key, value in body.items() if key not in {"folderUID", "ruleGroup", "orgID"}}
