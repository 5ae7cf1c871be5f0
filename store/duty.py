"""Who is on duty, from the database: rosters in force, absences, and who holds which role where."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from models.deadlines import Clock
from models.duty import Absence, Holidays, Roster, Turn, Watch, plan
from models.duty import on_duty as on_watch
from models.roles import Role
from store import units as stored_units
from store.db import Connection

_EVER = datetime.max.replace(tzinfo=UTC)
# In a snapshot more than these are no help: whoever reads it wants to know whom the chain counted on.
_SNAPSHOT = 5


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who is to act in a role of a unit now; ``instead_of`` names whom they stand in for."""

    account: UUID
    name: str
    role: Role
    unit: str
    instead_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """What is known of duty in some units. ``holders`` are those who hold a role granted at exactly that unit."""

    rosters: Mapping[tuple[str, Role], Roster]
    absences: Sequence[Absence]
    holders: Mapping[tuple[str, Role], tuple[UUID, ...]]
    names: Mapping[UUID, str]
    paths: Mapping[str, str]
    gone: Mapping[tuple[str, Role], tuple[Absence, ...]]
    clock: Clock

    def watch(self, unit: str, role: Role, now: datetime) -> Watch | None:
        """The roster's watch at this instant; None where the unit keeps no roster for the role."""
        roster = self.rosters.get((unit, role))
        if roster is None:
            return None
        return on_watch(roster, self._away(roster), now, self.clock.at(self.paths[unit]).calendar)

    def plan(self, unit: str, role: Role, start: datetime, end: datetime) -> list[Watch]:
        """The roster's watches in a stretch of time; none where the unit keeps no roster for the role."""
        roster = self.rosters.get((unit, role))
        if roster is None:
            return []
        return plan(roster, self._away(roster), start, end, self.clock.at(self.paths[unit]).calendar)

    def _away(self, roster: Roster) -> list[Absence]:
        """Absences, and those whose account or grant has gone: a name that is left in a roster is nobody."""
        return [*self.gone.get((roster.unit, roster.role), ()), *self.absences]

    def people(self, unit: str, role: Role, now: datetime) -> list[Recipient]:
        """Who is meant now: the one on the roster, or all who hold the role at the unit where it keeps none."""
        watch = self.watch(unit, role, now)
        if watch is None:
            return [Recipient(id, self.names[id], role, unit) for id in self.holders.get((unit, role), ())]
        if watch.account is None:
            return []
        return [Recipient(watch.account, self.names.get(watch.account, ""), role, unit, watch.instead_of)]

    def unmanned(self, now: datetime) -> set[tuple[str, Role]]:
        """Units and roles whose roster says that nobody is there."""
        return {key for key in self.rosters if (watch := self.watch(*key, now)) is not None and watch.account is None}

    def snapshot(self, units: Iterable[str], now: datetime) -> dict[str, dict[str, list[str]]]:
        """By unit and role, the account ids that are meant now; units without anybody left out."""
        found = {
            unit: {
                role.value: [str(one.account) for one in self.people(unit, role, now)[:_SNAPSHOT]]
                for role in (Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER)
                if self.people(unit, role, now)
            }
            for unit in units
        }
        return {unit: roles for unit, roles in found.items() if roles}


async def on_duty(conn: Connection, unit: str, roles: Sequence[Role], now: datetime) -> list[Recipient]:
    """Who is to be told in these roles of a unit now. Nobody for a unit that does not exist."""
    known = await book(conn, [unit])
    return [one for role in roles for one in known.people(unit, role, now)]


async def book(conn: Connection, units: Sequence[str] | None = None, clock: Clock | None = None) -> Book:
    """What is known of duty in these units; of all that keep a roster where none are named."""
    if clock is None:
        city = await stored_units.city(conn)
        clock = Clock.of(city["profile"] if city else None)
    rosters = await in_force(conn, units)
    wanted = sorted({roster.unit for roster in rosters} if units is None else set(units))
    cur = await conn.execute("SELECT code, path FROM units WHERE code = ANY(%s)", (wanted,))
    paths = {row["code"]: row["path"] for row in await cur.fetchall()}
    cur = await conn.execute(
        "SELECT g.unit, g.role, g.account, a.name FROM grants g JOIN accounts a ON a.id = g.account "
        "WHERE g.unit = ANY(%s) AND g.revoked_at IS NULL AND a.disabled_at IS NULL ORDER BY g.granted_at, g.id",
        (wanted,),
    )
    holders: dict[tuple[str, Role], list[UUID]] = {}
    names: dict[UUID, str] = {}
    for row in await cur.fetchall():
        holders.setdefault((row["unit"], Role(row["role"])), []).append(row["account"])
        names[row["account"]] = row["name"]
    absences = await _absences(conn)
    able = await _able(conn, rosters, paths, [one.deputy for one in absences if one.deputy], names)
    return Book(
        rosters={(one.unit, one.role): one for one in rosters},
        absences=absences,
        holders={key: tuple(ids) for key, ids in holders.items()},
        names=names,
        paths=paths,
        gone={
            (one.unit, one.role): tuple(
                Absence(person, datetime.min.replace(tzinfo=UTC), _EVER)
                for person in {*one.people, *one.holiday_people, *(a.deputy for a in absences if a.deputy)}
                if (person, one.role) not in able.get(one.unit, ())
            )
            for one in rosters
        },
        clock=clock,
    )


async def in_force(conn: Connection, units: Sequence[str] | None = None) -> list[Roster]:
    """Rosters in force, of all units where none are named."""
    cur = await conn.execute(
        "SELECT unit, role, first_day, turn, handover, people, holidays, holiday_people FROM rosters "
        "WHERE ended_at IS NULL AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) ORDER BY unit, role",
        {"units": None if units is None else list(units)},
    )
    return [typed(row) for row in await cur.fetchall()]


def typed(row: Mapping[str, Any]) -> Roster:
    """A row as a ``Roster``."""
    return Roster(
        **dict(row)
        | {
            "role": Role(row["role"]),
            "turn": Turn(row["turn"]),
            "holidays": Holidays(row["holidays"]),
            "people": tuple(row["people"]),
            "holiday_people": tuple(row["holiday_people"]),
        }
    )


async def _absences(conn: Connection) -> list[Absence]:
    """Those that are not over, by when they were said: a later one does not undo an earlier one."""
    cur = await conn.execute(
        "SELECT account, starts_at, ends_at, deputy FROM absences WHERE withdrawn_at IS NULL AND ends_at > now() - interval '1 day' "
        "ORDER BY set_at, id"
    )
    return [Absence(**row) for row in await cur.fetchall()]


async def _able(
    conn: Connection,
    rosters: Sequence[Roster],
    paths: Mapping[str, str],
    deputies: Sequence[UUID],
    names: dict[UUID, str],
) -> dict[str, set[tuple[UUID, Role]]]:
    """By unit, who may act in which role there: their account is open, and a grant of theirs covers the unit."""
    people = {person for one in rosters for person in (*one.people, *one.holiday_people)} | set(deputies)
    cur = await conn.execute(
        "SELECT g.account, g.role, u.path, a.name FROM grants g JOIN units u ON u.code = g.unit "
        "JOIN accounts a ON a.id = g.account WHERE g.account = ANY(%s) AND g.revoked_at IS NULL AND a.disabled_at IS NULL",
        (sorted(people),),
    )
    rows = await cur.fetchall()
    names.update({row["account"]: row["name"] for row in rows})
    by_person: dict[UUID, list[tuple[Role, str]]] = {}
    for row in rows:
        by_person.setdefault(row["account"], []).append((Role(row["role"]), row["path"]))
    return {
        one.unit: {
            (person, role)
            for person in {*one.people, *one.holiday_people, *deputies}
            for role, path in by_person.get(person, ())
            if paths.get(one.unit, "").startswith(path)
        }
        for one in rosters
    }
