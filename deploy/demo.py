"""The demo: a city, accounts whose keys are kept in the data folder, and some first reports."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.cities import load_city as read_city
from deploy.simulate import Simulator
from models.reports import Door, check
from models.roles import Role
from models.taxonomy import subcategories
from models.units import UnitTree
from store import db, keys, reports, units
from store.db import Connection
from store.reports import Entry
from store.settings import Settings

NINGBO = Path(__file__).parent / "cities" / "ningbo"
_CALLER = "demo"
# Enough that every part of the wall has something to show, few enough that the first start stays quick.
_FIRST_REPORTS = 150


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account and its key."""

    role: Role
    unit: str
    unit_name: str
    key: str


async def load_city(conn: Connection, now: datetime, folder: Path = NINGBO) -> int:
    """Load a city's folder; how many units it holds. Raises ``CityError``."""
    city = read_city(folder)
    return await units.load(conn, city.code, city.name, city.profile(), city.units, now)


async def prepare(settings: Settings, say: Callable[[str], None]) -> list[Account]:
    """The demo accounts, made at the first start; and the first reports where there are none."""
    path = settings.local.absolute() / "demo-accounts.json"
    async with db.connect(str(settings.database)) as conn:
        tree = await units.tree(conn)
        accounts = _read(path, tree)
        if not accounts or not all([await keys.actor(conn, account.key) for account in accounts]):
            # None were made yet, or those of an earlier database that this one does not know.
            accounts = await _make(conn, tree)
            _write(path, accounts)
        cur = await conn.execute("SELECT 1 FROM intake LIMIT 1")
        if await cur.fetchone() is None:
            say(f"demo: {_FIRST_REPORTS} first reports")
            await _first_reports(conn, tree)
    return accounts


def _read(path: Path, tree: UnitTree) -> list[Account]:
    """The accounts of an earlier start."""
    if not path.exists():
        return []
    kept = json.loads(path.read_text("utf-8"))
    return [Account(Role(role), unit, tree[unit].name, key) for role, unit, key in kept if unit in tree]


def _write(path: Path, accounts: list[Account]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps([[a.role, a.unit, a.key] for a in accounts]), "utf-8")


async def _make(conn: Connection, tree: UnitTree) -> list[Account]:
    city = tree.root
    if city is None:
        return []
    school = min((u for u in tree if u.kind == "school"), key=lambda u: u.code)
    four = (Role.INFORMANT, Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR)
    wanted = [(role, school) for role in four]
    wanted += [(role, tree[str(school.parent)]) for role in (Role.ASSESSOR, Role.SUPERVISOR)]
    wanted += [(role, city) for role in (Role.ASSESSOR, Role.SUPERVISOR, Role.LEADER, Role.AUDITOR, Role.WALL)]
    accounts = []
    for role, unit in wanted:
        _, key = await keys.create(conn, f"{keys.DEMO}{role.label}", unit.code, role, datetime.now(UTC))
        accounts.append(Account(role, unit.code, unit.name, key))
    return accounts


async def _first_reports(conn: Connection, tree: UnitTree) -> None:
    now = datetime.now(UTC)
    simulator = Simulator(tree, subcategories(), seed=2026)
    door = Door(tree=tree, now=now)
    drawn = [check(simulator.next(now), door) for _ in range(_FIRST_REPORTS)]
    await reports.accept(conn, [Entry(report) for report in drawn], _CALLER, now)
