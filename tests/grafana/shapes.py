"""What Grafana 11.6 takes in its bodies: fields, types, and the rules between them (its HTTP API reference, and the types behind it)."""

import re
from collections.abc import Mapping
from typing import Any

_UID = re.compile(r"[a-zA-Z0-9\-_]{1,40}")


class Refused(Exception):
    """An answer of 4xx. ``ours``: the caller sent what Grafana does not take, rather than asked for what is not there."""

    def __init__(self, status: int, message: str, *, ours: bool = True) -> None:
        super().__init__(message)
        self.status, self.ours = status, ours


def check(
    body: Any, required: Mapping[str, type | tuple[type, ...]], optional: Mapping[str, Any] | None = None
) -> None:
    """That a body has the required fields, no unknown ones, and all of their type."""
    if not isinstance(body, dict):
        raise Refused(400, "bad request data")
    known = {**required, **(optional or {})}
    if missing := required.keys() - body.keys():
        raise Refused(400, f"missing {sorted(missing)}")
    if unknown := body.keys() - known.keys():
        raise Refused(400, f"unknown {sorted(unknown)}")
    for key, value in body.items():
        if not isinstance(value, known[key]):
            raise Refused(400, f"{key} is {type(value).__name__}")


def check_board(board: Any) -> None:
    """What Grafana 11.6 needs of a dashboard (schema version 41), and its browser of panels."""
    check(board, {"uid": str, "title": str, "schemaVersion": int, "panels": list, "time": dict, "timezone": str}, {
        "tags": list, "description": str, "editable": bool, "graphTooltip": int, "fiscalYearStartMonth": int, "weekStart": str,
        "refresh": str, "templating": dict, "annotations": dict, "id": (int, type(None)), "version": int, "links": list,
    })  # fmt: skip
    check_uid(board["uid"])
    if not board["title"] or len(board["title"]) > 189 or board["schemaVersion"] != 41:
        raise Refused(400, "title or schema version")
    check(board["time"], {"from": str, "to": str})
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        check(panel, {"id": int, "type": str, "title": str, "gridPos": dict, "targets": list, "datasource": dict, "fieldConfig": dict},
              {"description": str, "transparent": bool, "repeatDirection": str, "options": dict})  # fmt: skip
        if panel["type"] not in {"stat", "timeseries", "table", "bargauge"}:
            raise Refused(400, f"no panel {panel['type']}")
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        if place["x"] + place["w"] > 24 or cells & taken:
            raise Refused(400, f"panel {panel['title']} lies outside, or on another one")
        taken |= cells
        for target in panel["targets"]:
            check_query(target)
    for variable in board.get("templating", {}).get("list", []):
        if variable["type"] != "query" or not variable["query"] or variable["datasource"]["uid"] != "campus-risk":
            raise Refused(400, f"variable {variable['name']}")


def check_query(query: Any) -> None:
    """A query of the PostgreSQL data source in code mode."""
    check(query, {"datasource": dict, "refId": str, "rawQuery": bool, "editorMode": str, "format": str, "rawSql": str},
          {"intervalMs": int, "maxDataPoints": int})  # fmt: skip
    if query["format"] not in {"table", "time_series"} or query["editorMode"] != "code" or not query["rawQuery"]:
        raise Refused(400, "query")
    if query["datasource"] != {"type": "grafana-postgresql-datasource", "uid": "campus-risk"}:
        raise Refused(400, "data source of a query")


def check_rule(body: Any) -> None:
    """A rule as the provisioning API takes it: queries first, then one expression, which is the condition."""
    check(body, {"orgID": int, "folderUID": str, "ruleGroup": str, "title": str, "condition": str, "data": list, "noDataState": str,
                 "execErrState": str, "for": str},
          {"uid": str, "annotations": dict, "labels": dict, "isPaused": bool, "notification_settings": dict, "id": int})  # fmt: skip
    if body["noDataState"] not in {"NoData", "Alerting", "OK"} or body["execErrState"] not in {
        "OK",
        "Alerting",
        "Error",
    }:
        raise Refused(400, "state")
    if not re.fullmatch(r"[1-9]\d*[smhd]", body["for"]) or not 1 <= len(body["title"]) <= 190:
        raise Refused(400, "for or title")
    for texts in (body.get("annotations", {}), body.get("labels", {})):
        if not all(isinstance(value, str) for value in texts.values()):
            raise Refused(400, "annotations and labels are texts")
    if body["condition"] != body["data"][-1]["refId"]:
        raise Refused(400, f"condition {body['condition']} does not exist")
    for query in body["data"]:
        check(query, {"refId": str, "datasourceUid": str, "model": dict}, {"queryType": str, "relativeTimeRange": dict})
        if query["model"]["refId"] != query["refId"]:
            raise Refused(400, "refId of a model")
        if query["datasourceUid"] != "__expr__":
            if query["relativeTimeRange"]["from"] <= query["relativeTimeRange"]["to"]:
                raise Refused(400, "invalid relative time range")
            check_query(query["model"])
        elif query["model"]["type"] != "threshold" or query["model"]["expression"] not in {
            q["refId"] for q in body["data"]
        }:
            raise Refused(400, "expression")
    if "notification_settings" in body:
        check(
            body["notification_settings"],
            {"receiver": str},
            {"group_by": list, "group_wait": str, "repeat_interval": str},
        )


def check_uid(uid: str) -> None:
    if not _UID.fullmatch(uid):
        raise Refused(400, f"uid {uid!r}: up to 40 of letters, digits, - and _")
