"""Folders: one an audience, since Grafana gives and takes permissions by folder."""

from grafana.resource import Kind, Resource
from grafana.words import BUREAU, DUTY, OPERATORS

TITLES = {DUTY: "校园风险 · 值班", BUREAU: "校园风险 · 教育局", OPERATORS: "校园风险 · 运维"}


def folders() -> list[Resource]:
    """The three folders."""
    return [Resource(Kind.FOLDER, uid, title, {"uid": uid, "title": title}) for uid, title in TITLES.items()]
