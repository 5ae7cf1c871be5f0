"""For the bureau: who uses the platform, who has how much open, and where it is going."""

# Statements are put together from constants of this package; what a person chose comes in by Grafana, quoted.
# ruff: noqa: S608

from typing import Any

from grafana.dashboards.panels import WITHIN, assemble, bars, figure, lines, rows, unit_variable
from grafana.resource import Resource
from grafana.words import BUREAU, CATEGORIES, LEVELS, label

# The weights of the risk index (domain §7).
_WEIGHT = "CASE h.level WHEN 'red' THEN 10 WHEN 'orange' THEN 5 WHEN 'yellow' THEN 2 ELSE 1 END"
_FOUND = f"FROM figures.hazards WHERE $__timeFilter(opened_at) AND {WITHIN}"
_ENDED = "state IN ('closed', 'reviewing', 'archived')"


def _panels() -> list[Any]:
    return [
        # A zero denominator gives no value, shown as "—", never 100 %.
        figure(
            "使用率",
            f"""SELECT count(DISTINCT i.unit)::float8 / nullif(count(DISTINCT u.code), 0) AS value FROM figures.units u
            LEFT JOIN figures.intake i ON i.unit = u.code AND $__timeFilter(i.received_at) WHERE u.obliged AND u.{WITHIN}""",
            unit="percentunit",
            about="时段内有上报的单位 ÷ 应使用单位",
        ),
        figure(
            "整改率",
            f"""SELECT count(*) FILTER (WHERE {_ENDED})::float8
            / nullif(count(*) FILTER (WHERE state NOT IN ('rejected', 'merged')), 0) AS value {_FOUND}""",
            unit="percentunit",
            about="时段内发现的：已销号 ÷ 发现",
        ),
        figure(
            "按期整改率",
            f"""SELECT count(*) FILTER (WHERE met_at <= due_at)::float8 / nullif(count(*), 0) AS value FROM figures.deadlines
            WHERE kind = 'rectify' AND round = 1 AND dropped_at IS NULL AND due_at <= now() AND $__timeFilter(due_at)
            AND {WITHIN}""",
            unit="percentunit",
            about="时段内到期的：按期销号 ÷ 到期",
        ),
        figure(
            "误报率",
            f"SELECT count(*) FILTER (WHERE state = 'rejected')::float8 / nullif(count(*), 0) AS value {_FOUND}",
            unit="percentunit",
        ),
        figure(
            "退回率",
            f"""SELECT count(*) FILTER (WHERE action = 'return')::float8
            / nullif(count(*) FILTER (WHERE action = 'submit'), 0) AS value FROM figures.actions
            WHERE $__timeFilter(at) AND {WITHIN}""",
            unit="percentunit",
            about="退回整改 ÷ 提交复核",
        ),
        figure(
            "重复发生率",
            f"""SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM figures.hazards n WHERE n.unit = h.unit
            AND n.subcategory = h.subcategory AND n.opened_at > h.closed_at
            AND n.opened_at <= h.closed_at + interval '90 days'))::float8 / nullif(count(*), 0) AS value
            FROM figures.hazards h WHERE $__timeFilter(h.closed_at) AND h.{WITHIN}""",
            unit="percentunit",
            about="销号后 90 天内同单位同小类再次发生 ÷ 销号",
        ),
        rows(
            "使用率 · 区县与高校",
            f"""SELECT d.name AS "区县与高校", count(DISTINCT u.code) AS "应使用", count(DISTINCT i.unit) AS "已使用",
            count(DISTINCT i.unit)::float8 / nullif(count(DISTINCT u.code), 0) AS "使用率" FROM figures.units d
            JOIN figures.units u ON u.path ^@ d.path AND u.obliged
            LEFT JOIN figures.intake i ON i.unit = u.code AND $__timeFilter(i.received_at)
            WHERE d.depth = 2 AND d.{WITHIN} GROUP BY d.code, d.name ORDER BY 4 DESC NULLS LAST, d.code""",
            percent=["使用率"],
        ),
        rows(
            "排行 · 区县与高校未销号",
            f"""SELECT d.name AS "区县与高校", count(h.unit) AS "未销号", count(h.unit) FILTER (WHERE h.overdue) AS "超期",
            count(h.unit) FILTER (WHERE h.level = 'red') AS "红" FROM figures.units d
            LEFT JOIN figures.hazards h ON h.path ^@ d.path AND h.open
            WHERE d.depth = 2 AND d.{WITHIN} GROUP BY d.code, d.name ORDER BY 3 DESC, 2 DESC, d.code""",
        ),
        rows(
            "排行 · 加权未销号（每千人）",
            f"""SELECT u.name AS "单位", count(*) AS "未销号", count(*) FILTER (WHERE h.overdue) AS "超期",
            round(sum({_WEIGHT}) * 1000.0 / greatest(u.members, 1000), 1)::float8 AS "加权" FROM figures.hazards h
            JOIN figures.units u ON u.code = h.unit WHERE h.open AND h.{WITHIN}
            GROUP BY u.code, u.name, u.members ORDER BY 4 DESC, u.code LIMIT 20""",
            about="红 10、橙 5、黄 2、蓝 1，按人数折算，不足千人按千人。没有上报不等于安全。",
        ),
        bars(
            "类别 · 时段内发现",
            f"""SELECT {label("category", CATEGORIES)} AS "类别", count(*) AS "发现" {_FOUND}
            GROUP BY category ORDER BY 2 DESC, category""",
            width=12,
        ),
        lines(
            "趋势 · 发现与销号",
            f"""SELECT $__timeGroupAlias(at, $__interval), metric, count(*) AS value FROM (
            SELECT opened_at AS at, '发现' AS metric, path FROM figures.hazards
            UNION ALL SELECT closed_at, '销号', path FROM figures.hazards WHERE closed_at IS NOT NULL) AS t
            WHERE $__timeFilter(at) AND {WITHIN} GROUP BY 1, 2 ORDER BY 1""",
        ),
        lines(
            "趋势 · 等级",
            f"""SELECT $__timeGroupAlias(opened_at, $__interval), {label("level", LEVELS)} AS metric, count(*) AS value
            {_FOUND} GROUP BY 1, 2 ORDER BY 1""",
            bars=True,
        ),
    ]


def board() -> Resource:
    """The dashboard."""
    about = "谁在用，谁积压多，走向如何。数字来自只读视图，不含原文与个人，不含保密通道。"
    return assemble(BUREAU, "教育局 · 使用、排行与趋势", about, "now-90d", [unit_variable()], _panels())
