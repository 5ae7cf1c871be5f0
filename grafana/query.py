"""The PostgreSQL query of a panel or alert rule: the one type that the SDK lacks.

The shape is what Grafana's own editor saves for ``grafana-postgresql-datasource`` in code mode.
"""

from typing import Any, Literal, Self

from grafana_foundation_sdk.cog import builder, runtime, variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from grafana.words import DATASOURCE, DATASOURCE_TYPE

Format = Literal["table", "time_series"]


def source() -> DataSourceRef:
    """Our data source, as panels and variables name it."""
    return DataSourceRef(type_val=DATASOURCE_TYPE, uid=DATASOURCE)


class PostgresQuery(variants.Dataquery):
    """SQL with Grafana's macros and variables. ``time_series`` needs a column ``time`` and rows in its order."""

    def __init__(self, sql: str = "", shape: Format = "table", ref_id: str = "A", **more: Any) -> None:
        self.sql, self.shape, self.ref_id, self.more = sql, shape, ref_id, more

    def to_json(self) -> dict[str, object]:
        """As it lies in a dashboard."""
        return {
            "datasource": source().to_json(),
            "refId": self.ref_id,
            "rawQuery": True,
            "editorMode": "code",
            "format": self.shape,
            "rawSql": self.sql,
            **self.more,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read back. Raises ``KeyError`` where there is no SQL: a query of the visual builder, which is none of ours."""
        known = {"datasource", "refId", "rawQuery", "editorMode", "format", "rawSql"}
        more = {key: value for key, value in data.items() if key not in known}
        return cls(data["rawSql"], data.get("format", "table"), data.get("refId", "A"), **more)


class Query(builder.Builder[PostgresQuery]):
    """Builds one, for ``with_target`` of a panel and ``model`` of an alert rule's query."""

    def __init__(self, sql: str) -> None:
        # Lines are folded so that a dashboard's JSON shows one line a query, and a hand-made change is seen in it.
        self._internal = PostgresQuery(" ".join(sql.split()))

    def build(self) -> PostgresQuery:
        """The query."""
        return self._internal

    def shape(self, shape: Format) -> Self:
        """``table`` or ``time_series``."""
        self._internal.shape = shape
        return self

    def ref_id(self, ref_id: str) -> Self:
        """Its name among the queries of a panel or rule."""
        self._internal.ref_id = ref_id
        return self

    def alerting(self) -> Self:
        """With what the alerting engine adds when it saves a rule: sent along, so that nothing differs when it is read back."""
        self._internal.more |= {"intervalMs": 1000, "maxDataPoints": 43200}
        return self


runtime.Runtime().register_dataquery_variant(
    runtime.DataqueryConfig(identifier=DATASOURCE_TYPE, from_json_hook=PostgresQuery.from_json)
)
