"""What Grafana does to a query on its way: variables by the browser, then macros by the PostgreSQL data source, in this order.

After Grafana 11's own rules: ``sqlstring`` doubles single quotes and puts a backslash before double ones; a macro is
``$name(`` up to the next ``)``, wherever it stands, and its arguments are parted by commas.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

Value = str | Sequence[str]
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$__interval\b")
_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Dashboard:
    """What is chosen at the top of a dashboard."""

    since: datetime
    until: datetime
    variables: Mapping[str, Value]
    interval: str = "1h"

    def expand(self, sql: str) -> str:
        """The SQL that reaches the database. Raises on anything that Grafana would not know, or would put in bare."""
        return _MACRO.sub(self._macro, _VARIABLE.sub(self._variable, sql))

    def _variable(self, found: re.Match[str]) -> str:
        name, shape = found.groups()
        if name is None:
            return self.interval
        if shape != "sqlstring":
            raise ValueError(f"{found.group(0)} would go into the SQL as it is")
        value = self.variables[name]
        return quoted(value) if isinstance(value, str) else ",".join(map(quoted, value))

    def _macro(self, found: re.Match[str]) -> str:
        name, args = found.group(1), [one.strip(" ") for one in found.group(2).split(",")]
        since, until = (f"'{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'" for at in (self.since, self.until))
        match name:
            case "__timeFilter":
                return f"{args[0]} BETWEEN {since} AND {until}"
            case "__timeFrom":
                return since
            case "__timeTo":
                return until
            case "__timeGroupAlias" if len(args) == 2:
                step = args[1].strip("'")
                seconds = int(step[:-1]) * _SECONDS[step[-1]]
                return f'floor(extract(epoch from {args[0]})/{seconds})*{seconds} AS "time"'
        raise ValueError(f"unknown macro {name!r}")


def quoted(value: str) -> str:
    """``sqlstring`` of one value."""
    return "'" + value.replace("'", "''").replace('"', '\\"') + "'"
