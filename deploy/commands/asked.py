"""What commands that ask the database share: one connection for the question, and the rows as a table or as JSON lines."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from deploy import connection
from store import db
from store.db import Connection

console = Console(highlight=False)
T = TypeVar("T")


def in_database(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do ``work`` in one transaction of its own, and what it says. Raises ``CannotStart`` where there is no database."""

    async def inside() -> T:
        async with db.connect(str(connection.resolved().database)) as conn:
            return await work(conn)

    return asyncio.run(inside())


def tell(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    """Print these columns: a table for people, or one JSON object a row."""
    if as_json:
        for row in rows:
            line = json.dumps({name: row[name] for name in columns}, default=str, ensure_ascii=False)
            console.print(line, soft_wrap=True, markup=False)
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
    console.print(table)
