"""What a Grafana holds, as values: one resource a folder, data source, contact point, dashboard or alert rule."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

# What a contact point's secret settings read as: nobody can tell whether they are still the same.
REDACTED = "[REDACTED]"
_EDITION = "sha256-"


class Kind(StrEnum):
    """In the order in which they are made: each needs only what stands above it. Removing goes the other way."""

    FOLDER = "folder"
    DATASOURCE = "datasource"
    CONTACT = "contact"
    DASHBOARD = "dashboard"
    RULE = "rule"

    @property
    def label(self) -> str:
        """In Chinese."""
        return {
            "folder": "文件夹",
            "datasource": "数据源",
            "contact": "联络点",
            "dashboard": "看板",
            "rule": "告警规则",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing. ``body`` is what the API takes; of one that was found, what it gave. ``others``: of a folder that was
    found, how many things lie in it that are none of ours."""

    kind: Kind
    uid: str
    title: str
    body: Mapping[str, Any]
    others: int = 0


def plain(built: Any) -> Any:
    """Dicts and lists, of what the SDK built."""
    return json.loads(json.dumps(built, cls=JSONEncoder))


def differences(wanted: Any, found: Any, where: str = "", *, whole: bool = True) -> list[str]:
    """Where a found value is not the wanted one, as sentences. Empty values (nothing, false, 0, "") equal an absent one.

    ``whole``: keys that were not wanted differ too. Otherwise they are passed over on the outermost level, where
    Grafana adds what it keeps about every resource.
    """
    if REDACTED in (wanted, found) or wanted == found or (_empty(wanted) and _empty(found)):
        return []
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        keys = [*wanted, *(key for key in found if key not in wanted)] if whole else [*wanted]
        return [
            line for key in keys for line in differences(wanted.get(key), found.get(key), f"{where}.{key}".lstrip("."))
        ]
    if _list(wanted) and _list(found) and len(wanted) == len(found):
        pairs = enumerate(zip(wanted, found, strict=True))
        return [line for n, (one, other) in pairs for line in differences(one, other, f"{where}[{n}]")]
    return [f"{where}: {_said(found)} → {_said(wanted)}"]


def _empty(value: Any) -> bool:
    return value is None or value is False or value == 0 or (isinstance(value, str | list | dict) and not value)


def _list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _said(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def stamped(board: Mapping[str, Any]) -> dict[str, Any]:
    """A dashboard with the hash of its content among its tags: by it, an older edition of ours is told from a change by hand."""
    return {**board, "tags": [*_tags(board), _EDITION + _hash(board)]}


def untouched(board: Mapping[str, Any]) -> bool:
    """Whether a found dashboard still is what its own hash says."""
    return _EDITION + _hash(board) in board.get("tags", ())


def _tags(board: Mapping[str, Any]) -> list[str]:
    return [tag for tag in board.get("tags", ()) if not tag.startswith(_EDITION)]


def _hash(board: Mapping[str, Any]) -> str:
    content = {key: value for key, value in board.items() if key not in {"id", "version"}} | {"tags": _tags(board)}
    # Sixteen digits: enough to tell editions apart, short enough for a tag.
    return hashlib.sha256(json.dumps(_pruned(content), sort_keys=True).encode()).hexdigest()[:16]


def _pruned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _pruned(one) for key, one in value.items() if not _empty(one)}
    return [_pruned(one) for one in value] if _list(value) else value
