"""For whoever is on duty: where the loop stands, at which tier, and what falls due."""

# Statements are put together from constants of this package; what a person chose comes in by Grafana, quoted.
# ruff: noqa: S608

from typing import Any

from grafana.dashboards.panels import AT_TIER, WITHIN, assemble, bars, figure, lines, rows, tier_variable, unit_variable
from grafana.resource import Resource
from grafana.words import CATEGORIES, DEADLINES, DUTY, LEVELS, REASONS, STATES, label, order

_OPEN = f"FROM figures.hazards WHERE open AND {WITHIN} AND {AT_TIER}"
_LEVELS = ", ".join(f"count(*) FILTER (WHERE h.level = '{key}') AS \"{word}\"" for key, word in LEVELS.items())


def _panels() -> list[Any]:
    """The panels, in reading order."""
    return [
        figure("未销号", f"SELECT count(*) AS value {_OPEN}"),
        figure("超期", f"SELECT count(*) AS value {_OPEN} AND overdue", red_from=1),
        figure("重大隐患", f"SELECT count(*) AS value {_OPEN} AND major", red_from=1),
        figure("挂牌督办", f"SELECT count(*) AS value {_OPEN} AND listed"),
        figure(
            "响应 中位 / P90",
            f"""SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY spent) AS "中位",
            percentile_cont(0.9) WITHIN GROUP (ORDER BY spent) AS "P90" FROM (
            SELECT extract(epoch FROM assessed_at - opened_at)::float8 AS spent FROM figures.hazards
            WHERE $__timeFilter(opened_at) AND {WITHIN}) AS t""",
            unit="s",
            about="从上报到研判",
        ),
        figure(
            "处置 中位 / P90",
            f"""SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY spent) AS "中位",
            percentile_cont(0.9) WITHIN GROUP (ORDER BY spent) AS "P90" FROM (
            SELECT extract(epoch FROM closed_at - dispatched_at)::float8 AS spent FROM figures.hazards
            WHERE $__timeFilter(opened_at) AND {WITHIN}) AS t""",
            unit="s",
            about="从派单到销号",
        ),
        bars(
            "未销号 · 等级",
            f"""SELECT {label("level", LEVELS)} AS "等级", count(*) AS "未销号" {_OPEN}
            GROUP BY level ORDER BY {order("level", LEVELS)}""",
        ),
        bars(
            "未销号 · 环节",
            f"""SELECT {label("state", STATES)} AS "环节", count(*) AS "未销号" {_OPEN}
            GROUP BY state ORDER BY {order("state", STATES)}""",
        ),
        rows(
            "未销号 · 层级",
            f"""SELECT t.label AS "层级", count(h.tier) AS "未销号", {_LEVELS} FROM figures.tiers t
            LEFT JOIN figures.hazards h ON h.tier = t.tier AND h.open AND h.{WITHIN}
            WHERE t.{AT_TIER} GROUP BY t.tier, t.label, t.rank ORDER BY t.rank, t.tier""",
            width=8,
        ),
        rows(
            "最近到期",
            f"""SELECT u.name AS "单位", {label("left(d.subcategory, 2)", CATEGORIES)} AS "类别",
            {label("d.level", LEVELS)} AS "等级", {label("d.kind", DEADLINES)} AS "时限", d.due_at AS "到期",
            d.due_at <= now() AS "已过" FROM figures.deadlines d JOIN figures.units u ON u.code = d.unit
            WHERE d.running AND d.{WITHIN} AND d.{AT_TIER} ORDER BY d.due_at LIMIT 20""",
        ),
        lines(
            "升级",
            f"""SELECT $__timeGroupAlias(at, $__interval), {label("reason", REASONS)} AS metric, count(*) AS value
            FROM figures.escalations WHERE $__timeFilter(at) AND {WITHIN} GROUP BY 1, 2 ORDER BY 1""",
            bars=True,
        ),
        lines(
            "时限 · 按期与逾期",
            f"""SELECT $__timeGroupAlias(due_at, $__interval), CASE WHEN missed_at IS NULL AND met_at <= due_at
            THEN '按期' ELSE '逾期' END AS metric, count(*) AS value FROM figures.deadlines
            WHERE $__timeFilter(due_at) AND dropped_at IS NULL AND (met_at IS NOT NULL OR due_at <= now()) AND {WITHIN}
            GROUP BY 1, 2 ORDER BY 1""",
            bars=True,
        ),
        bars(
            "保密通道 · 全市未销号",
            f"""SELECT {label("category", CATEGORIES)} AS "类别", open AS "未销号" FROM figures.confidential ORDER BY category""",
            width=12,
            about="少于五条不显示；其余图表不含保密通道",
        ),
    ]


def board() -> Resource:
    """The dashboard."""
    about = "闭环走到哪一步，压在哪一级，哪些快到期。数字来自只读视图，不含原文与个人。"
    return assemble(DUTY, "值班 · 闭环、层级与时限", about, "now-24h", [unit_variable(), tier_variable()], _panels())
