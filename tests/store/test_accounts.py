"""Accounts, grants, attempts and sessions in the database."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from models.roles import Role
from store import accounts, db, keys, sign_in
from store.db import Connection
from store.sealing import Sealer
from tests.factories import CITY, DISTRICT, NOW, SCHOOL
from tests.store.test_landing import count, query

pytestmark = pytest.mark.runtime

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "第三盏路灯-也还亮着呢"


async def made(conn: Connection, login: str = "li.si", *grants: tuple[Role, str]) -> "accounts.Account":
    id = await accounts.create(conn, login, "李四", accounts.hashed(PASSWORD, CHEAP), grants, "test", NOW)
    account = await accounts.found(conn, id)
    assert account
    return account


def test_a_password_is_hashed_with_argon2id_and_what_the_decision_says() -> None:
    kept = accounts.hashed(PASSWORD)
    parameters = extract_parameters(kept)
    assert (parameters.type, parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (
        Type.ID,
        3,
        65536,
        1,
    )
    assert PASSWORD not in kept
    assert accounts.verified(kept, PASSWORD)
    assert not accounts.verified(kept, PASSWORD + "x")


def test_the_same_characters_from_another_keyboard_are_the_same_password() -> None:
    kept = accounts.hashed("ｃａｆé-２０２６-路灯", CHEAP)
    assert accounts.verified(kept, "cafe\u0301-2026-路灯")


@pytest.mark.parametrize("kept", [None, "", "not a hash"])
def test_without_a_hash_nothing_is_right(kept: str | None) -> None:
    assert not accounts.verified(kept, PASSWORD)


def test_invented_passwords_differ_and_would_be_taken() -> None:
    assert len({accounts.invented() for _ in range(100)}) == 100
    assert len(accounts.invented()) == 20


async def test_a_login_is_one_account_s(conn: Connection) -> None:
    await made(conn)
    with pytest.raises(accounts.Taken, match=r"li\.si"):
        await made(conn)
    assert await count(conn, "accounts") == 1, "the transaction goes on"


async def test_a_grant_is_kept_with_who_gave_and_took_it(conn: Connection) -> None:
    account = await made(conn, "li.si", (Role.HANDLER, SCHOOL))
    given = account.live[0]
    assert await accounts.grant(conn, account.id, Role.HANDLER, SCHOOL, "again", NOW) == given.id
    assert await accounts.revoke(conn, account.id, given.id, "taker", NOW)
    assert not await accounts.revoke(conn, account.id, given.id, "taker", NOW)
    new = await accounts.grant(conn, account.id, Role.HANDLER, SCHOOL, "giver", NOW)
    rows = await query(conn, "SELECT id, granted_by, revoked_by FROM grants ORDER BY granted_at, id")
    assert [tuple(row.values()) for row in rows] == [(given.id, "test", "taker"), (new, "giver", None)]
    found = await accounts.found(conn, account.id)
    assert found
    assert [grant.id for grant in found.live] == [new]


async def test_accounts_are_listed_within_paths(conn: Connection) -> None:
    for login, *grants in [("city", (Role.LEADER, CITY)), ("none",), ("school", (Role.HANDLER, SCHOOL))]:
        await made(conn, str(login), *grants)  # type: ignore[arg-type]

    async def logins(*paths: str) -> list[str]:
        return [account.login for account in await accounts.listed(conn, paths)]

    assert await logins("/") == ["city", "none", "school"]
    assert await logins(f"/{CITY}/") == ["city", "school"]
    assert await logins(f"/{CITY}/{DISTRICT}/") == ["school"]
    assert await logins(f"/{CITY}/U01/") == []


async def test_all_hats_of_a_person_have_one_id(conn: Connection) -> None:
    account = await made(conn, "li.si", (Role.HANDLER, SCHOOL), (Role.ASSESSOR, DISTRICT))
    token = await sign_in.begin(conn, account.id, NOW, factor=False)
    session = await sign_in.session(conn, token, NOW)
    assert session
    assert {hat.id for hat in session.hats} == {f"account:{account.id}"}
    assert {(hat.role, hat.path) for hat in session.hats} == {(g.role, g.path) for g in account.live}
    assert await keys.session_actor(conn, token, NOW) is None
    assert await sign_in.session(conn, token, NOW + keys.SESSION) is None
    assert await sign_in.session(conn, "forged", NOW) is None


async def test_a_session_is_of_a_key_or_of_an_account(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        await conn.execute("INSERT INTO sessions (hash, created_at, expires_at) VALUES ('x', now(), now())")


async def test_a_key_s_session_goes_on_beside(conn: Connection) -> None:
    _, token = await keys.create(conn, "wall", CITY, Role.WALL, NOW)
    session = await keys.begin_session(conn, token, NOW)
    assert session
    assert await sign_in.session(conn, session, NOW) is None
    actor = await keys.session_actor(conn, session, NOW)
    assert actor
    assert actor.role is Role.WALL


async def test_a_password_that_changed_meanwhile_begins_nothing(conn: Connection) -> None:
    account = await made(conn)
    read = await sign_in.secrets_of(conn, "li.si")
    assert read
    assert await sign_in.locked(conn, read) == read
    await accounts.set_password(conn, account.id, "other", NOW)
    assert await sign_in.locked(conn, read) is None


async def test_resetting_the_factor_ends_sessions_and_codes(conn: Connection) -> None:
    account = await made(conn)
    await sign_in.enrol(conn, account.id, Sealer("test"))
    await sign_in.new_recovery_codes(conn, account.id)
    await sign_in.begin(conn, account.id, NOW, factor=True)
    await accounts.reset_factor(conn, account.id, "test", NOW)
    assert await count(conn, "sessions") == 0
    assert await count(conn, "recovery_codes") == 0
    read = await sign_in.secrets_of(conn, "li.si")
    assert read
    assert (read.totp, read.pending) == (None, None)


async def test_attempts_wait_longer_and_longer(conn: Connection) -> None:
    now, waits = NOW, []
    for _ in range(8):
        counted = sign_in.buckets("li.si", "192.0.2.1")
        assert await sign_in.count(conn, counted, now) is None
        pause = await sign_in.count(conn, counted, now)
        waits.append(pause and pause.total_seconds())
        now += pause or timedelta(0)
    # The first attempts are taken two at a time, for none of them waits.
    assert waits == [None, None, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0]


async def test_an_hour_of_quiet_forgets_and_sweeps(conn: Connection) -> None:
    for n in range(5):
        await sign_in.count(conn, sign_in.buckets("li.si", f"192.0.2.{n}"), NOW)
    assert await count(conn, "attempts") == 6
    later = NOW + timedelta(hours=1, seconds=1)
    assert await sign_in.count(conn, sign_in.buckets("li.si", "192.0.2.9"), later) is None
    rows = await query(conn, "SELECT failures, blocked_until FROM attempts")
    assert [(row["failures"], row["blocked_until"]) for row in rows] == [(1, None)] * 2


async def test_what_is_counted_outlives_the_process_that_counted(dsn: str, conn: Connection) -> None:
    async def one() -> bool:
        async with db.connect(dsn) as own:
            return await sign_in.count(own, sign_in.buckets("li.si", "192.0.2.1"), NOW) is None

    assert sorted(await asyncio.gather(*(one() for _ in range(8)))) == [False] * 3 + [True] * 5


async def test_a_sign_in_forgives_the_login_and_not_the_address(conn: Connection) -> None:
    counted = sign_in.buckets("li.si", "192.0.2.1")
    for _ in range(4):
        await sign_in.count(conn, counted, NOW)
    await sign_in.forgive(conn, counted, known=True)
    rows = await query(conn, "SELECT bucket, failures FROM attempts")
    assert [(bytes(row["bucket"]), row["failures"]) for row in rows] == [(counted[0].hash, 3)]
