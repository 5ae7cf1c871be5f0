"""For operators: what waits and how long, what could not land, what the agents do, and the database."""

# Statements are put together from constants of this package; what a person chose comes in by Grafana, quoted.
# ruff: noqa: S608

from typing import Any

from grafana.dashboards.panels import assemble, bars, figure, lines, rows
from grafana.resource import Resource
from grafana.words import CHANNELS, OPERATORS, OUTCOMES, REASONS, label

_LAG = "extract(epoch FROM landed_at - received_at)"


def _pulse(column: str) -> str:
    return f"SELECT {column}::float8 AS value FROM figures.pulse"


def _panels() -> list[Any]:
    return [
        # The limits are those of the alert rules.
        figure("待落库上报", _pulse("waiting")),
        figure("最久等待", _pulse("waiting_seconds"), unit="s", red_from=120),
        figure("发件箱", _pulse("outbox")),
        figure("发件箱最老消息", _pulse("outbox_seconds"), unit="s", red_from=300),
        figure("死信", _pulse("dead"), red_from=1),
        figure("到期未处理", _pulse("unswept_seconds"), unit="s", red_from=60, about="最久一个：值守进程每半秒扫一次"),
        lines(
            "滞后 · 从收下到落库",
            f"""SELECT $__timeGroupAlias(received_at, $__interval),
            percentile_cont(0.5) WITHIN GROUP (ORDER BY {_LAG}) AS "中位",
            percentile_cont(0.9) WITHIN GROUP (ORDER BY {_LAG}) AS "P90",
            percentile_cont(0.99) WITHIN GROUP (ORDER BY {_LAG}) AS "P99"
            FROM figures.intake WHERE $__timeFilter(received_at) GROUP BY 1 ORDER BY 1""",
            unit="s",
            about="经数据库、Kafka 与智能体的全程；Kafka 消费组的滞后见 /metrics 与 kafka-consumer-groups",
        ),
        lines(
            "智能体 classify · 落库",
            f"""SELECT $__timeGroupAlias(landed_at, $__interval), {label("outcome", OUTCOMES)} AS metric, count(*) AS value
            FROM figures.intake WHERE $__timeFilter(landed_at) GROUP BY 1, 2 ORDER BY 1""",
            bars=True,
        ),
        lines(
            "智能体 escalate 与时钟 · 升级",
            f"""SELECT $__timeGroupAlias(at, $__interval), {label("reason", REASONS)} AS metric, count(*) AS value
            FROM figures.escalations WHERE $__timeFilter(at) GROUP BY 1, 2 ORDER BY 1""",
            bars=True,
        ),
        figure("上次落库距今", _pulse("landed_seconds"), unit="s", width=6, about="夜里可以很久；与“最久等待”一起看"),
        figure("补发未落库", _pulse("resent"), width=6, about="对账进程已重新发送，仍未落库"),
        lines(
            "死信 · 原因",
            """SELECT $__timeGroupAlias(at, $__interval), reason AS metric, count(*) AS value FROM figures.dead_letters
            WHERE $__timeFilter(at) GROUP BY 1, 2 ORDER BY 1""",
            bars=True,
        ),
        bars(
            "死信 · 待处置",
            """SELECT reason AS "原因", count(*) FILTER (WHERE open) AS "待处置" FROM figures.dead_letters
            GROUP BY reason ORDER BY 2 DESC, reason""",
            width=12,
        ),
        bars(
            "发件箱 · 主题",
            """SELECT topic AS "主题", messages AS "条" FROM figures.outbox ORDER BY topic""",
            width=12,
        ),
        rows(
            "通知 · 送达",
            f"""SELECT {label("kind", CHANNELS)} AS "渠道", count(*) AS "次", count(*) FILTER (WHERE NOT sent) AS "失败"
            FROM figures.deliveries WHERE $__timeFilter(at) GROUP BY kind ORDER BY kind""",
        ),
        figure("数据库大小", _pulse("database_bytes"), unit="bytes", width=6),
        figure("连接占用", _pulse("connections::float8 / connections_most"), unit="percentunit", width=6, red_from=0.8),
        bars(
            "数据库 · 最大的表",
            """SELECT name AS "表", bytes AS "大小" FROM figures.tables ORDER BY bytes DESC, name LIMIT 12""",
            unit="bytes",
            width=12,
        ),
    ]


def board() -> Resource:
    """The dashboard."""
    about = "滞后、死信、发件箱、智能体与数据库。出了事先看 docs/runbooks。"
    return assemble(OPERATORS, "运维 · 滞后、死信与数据库", about, "now-6h", [], _panels())
