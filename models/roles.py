"""The four roles, and those beside them (domain §2). Labels are configuration; these are the defaults (暂定口径)."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do; always together with a unit: the role holds in that unit and below it."""

    INFORMANT = "informant"
    ASSESSOR = "assessor"
    HANDLER = "handler"
    SUPERVISOR = "supervisor"
    LEADER = "leader"
    ADMIN = "admin"
    AUDITOR = "auditor"
    MACHINE = "machine"
    WALL = "wall"
    SYSTEM = "system"

    @property
    def label(self) -> str:
        """The Chinese word on the page."""
        return _LABEL[self]


_LABEL = {
    Role.INFORMANT: "信息员",
    Role.ASSESSOR: "研判员",
    Role.HANDLER: "处置员",
    Role.SUPERVISOR: "督导员",
    Role.LEADER: "单位负责人",
    Role.ADMIN: "管理员",
    Role.AUDITOR: "审计员",
    Role.MACHINE: "对接系统",
    Role.WALL: "大屏",
    Role.SYSTEM: "平台",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: an id that is stable, a unit (its path), and one role."""

    id: str
    name: str
    role: Role
    unit: str
    path: str

    def covers(self, path: str) -> bool:
        """Whether a unit's path lies in this actor's subtree."""
        return path.startswith(self.path)


def system(name: str) -> Actor:
    """The platform itself: ``clock``, ``classify``, ``escalate``. It covers every unit."""
    return Actor(id=f"system:{name}", name=name, role=Role.SYSTEM, unit="", path="/")
