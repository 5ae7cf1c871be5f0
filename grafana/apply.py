"""The plan: what differs between what is wanted and what was found, as values. Nothing here talks to anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from grafana.datasource import lacks_password
from grafana.resource import Kind, Resource, differences, untouched

# A diff is for reading: what differs beyond this many places is counted, not listed.
_LISTED = 8


class Change(StrEnum):
    """What becomes of a resource."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    UNCHANGED = "unchanged"
    KEEP = "keep"

    @property
    def label(self) -> str:
        """In Chinese."""
        return {"create": "新建", "update": "更新", "remove": "移除", "unchanged": "不变", "keep": "保留"}[self.value]


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one resource, and why. ``resource`` is the wanted one, or the found one where it goes or stays."""

    change: Change
    resource: Resource
    why: tuple[str, ...] = ()

    @property
    def alters(self) -> bool:
        """Whether carrying it out changes anything."""
        return self.change not in {Change.UNCHANGED, Change.KEEP}


def plan(wanted: Sequence[Resource], found: Sequence[Resource], *, renew_password: bool = False) -> list[Step]:
    """Steps in the order in which they can be carried out: what is needed first, and last what is needed by nothing.

    What was found of ours and is not wanted goes. ``renew_password``: the data source's is sent again, which nobody can
    read back and compare.
    """
    order = list(Kind)
    held = {(one.kind, one.uid): one for one in found}
    steps = [_step(one, held.get((one.kind, one.uid)), renew_password=renew_password) for one in wanted]
    steps.sort(key=lambda step: order.index(step.resource.kind))
    asked = {(one.kind, one.uid) for one in wanted}
    gone = [one for one in found if (one.kind, one.uid) not in asked]
    gone.sort(key=lambda one: -order.index(one.kind))
    return steps + [_goes(one) for one in gone]


def _goes(found: Resource) -> Step:
    if found.others:
        return Step(Change.KEEP, found, (f"里面还有 {found.others} 项不属于本平台，文件夹保留",))
    return Step(Change.REMOVE, found)


def _step(wanted: Resource, found: Resource | None, *, renew_password: bool) -> Step:
    if found is None:
        return Step(Change.CREATE, wanted)
    why = _why(wanted, found)
    if wanted.kind is Kind.DATASOURCE and (renew_password or lacks_password(found.body)):
        why.append("password: 重新写入")
    if not why:
        return Step(Change.UNCHANGED, wanted)
    more = [f"……另有 {len(why) - _LISTED} 处"] if len(why) > _LISTED else []
    return Step(Change.UPDATE, wanted, (*why[:_LISTED], *more))


def _why(wanted: Resource, found: Resource) -> list[str]:
    match wanted.kind:
        case Kind.DASHBOARD:
            board = {key: value for key, value in found.body["dashboard"].items() if key not in {"id", "version"}}
            why = differences(wanted.body["dashboard"], board)
            why += differences(wanted.body["folderUid"], found.body["folderUid"], "folderUid")
            return ["被人手工改动过" if not untouched(board) else "来自较早的版本", *why] if why else []
        case Kind.DATASOURCE:
            described = {key: value for key, value in wanted.body.items() if key != "secureJsonData"}
            return differences(described, found.body, whole=False)
        case Kind.CONTACT:
            # An address may hold a token: that it differs is said, never what it is.
            told = differences(wanted.body, found.body, whole=False)
            return list(dict.fromkeys("settings: 与设定不同" if line.startswith("settings") else line for line in told))
        case Kind.RULE:
            # The organisation is that of the token, whatever was sent. A receiver that is no longer wanted must be missed.
            body = {"notification_settings": None} | {key: v for key, v in wanted.body.items() if key != "orgID"}
            return differences(body, found.body, whole=False)
        case Kind.FOLDER:
            return differences(wanted.body, found.body, whole=False)
