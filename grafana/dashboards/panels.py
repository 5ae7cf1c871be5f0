"""Panels and dashboards, put together with few words. Widths are of Grafana's 24 columns.

Variables stand in SQL only as ``${name:sqlstring}``, which Grafana turns into quoted literals; times only in its macros.
"""

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import GraphDrawStyle, StackingMode, VizOrientation
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

from grafana.query import Query, source
from grafana.resource import Kind, Resource, plain, stamped
from grafana.words import COLOURS, TAG, TIME_ZONE

# Conditions of the variables: below the unit, and at the tiers that were chosen.
WITHIN = "path ^@ ${unit:sqlstring}"
AT_TIER = "tier IN (${tier:sqlstring})"


def figure(
    title: str, sql: str, *, unit: str = "short", width: int = 4, red_from: float | None = None, about: str = ""
) -> stat.Panel:
    """One number, or a few with their names. ``red_from``: from here on it is a bad one."""
    panel = stat.Panel().title(title).description(about).unit(unit).span(width).height(5).datasource(source())
    panel = (
        panel.no_value("—").with_target(Query(sql)).reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    return panel if red_from is None else panel.thresholds(_red_from(red_from))


def lines(title: str, sql: str, *, unit: str = "short", width: int = 12, bars: bool = False, about: str = "") -> Any:
    """Curves over time, or stacked bars of counts."""
    panel = timeseries.Panel().title(title).description(about).unit(unit).span(width).height(8).datasource(source())
    panel = panel.with_target(Query(sql).shape("time_series")).min(0)
    if bars:
        panel = panel.draw_style(GraphDrawStyle.BARS).fill_opacity(80)
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    return _coloured(panel)


def rows(title: str, sql: str, *, width: int = 12, percent: Sequence[str] = (), about: str = "") -> table.Panel:
    """A table; ``percent`` are columns of shares from 0 to 1."""
    panel = table.Panel().title(title).description(about).span(width).height(8).datasource(source()).no_value("—")
    for name in percent:
        panel = panel.override_by_name(name, [DynamicConfigValue(id_val="unit", value="percentunit")])
    return panel.with_target(Query(sql))


def bars(title: str, sql: str, *, width: int = 8, unit: str = "short", about: str = "") -> bargauge.Panel:
    """A bar for each row: a name and a number."""
    panel = bargauge.Panel().title(title).description(about).unit(unit).span(width).height(8).datasource(source())
    panel = panel.orientation(VizOrientation.HORIZONTAL).no_value("—").min(0)
    return panel.reduce_options(common.ReduceDataOptions().values(True)).with_target(Query(sql))


def unit_variable() -> dashboard.QueryVariable:
    """``$unit``: the path of a unit, the city first. One at a time, so that "all" needs no value of its own: the city is all."""
    sql = "SELECT repeat('　', depth - 1) || name AS __text, path AS __value FROM figures.units ORDER BY path"
    return _variable("unit", "单位", sql)


def tier_variable() -> dashboard.QueryVariable:
    """``$tier``: any number of tiers; all of them, told one by one, are "all"."""
    sql = "SELECT label AS __text, tier AS __value FROM figures.tiers ORDER BY rank, tier"
    return _variable("tier", "层级", sql).multi(True).include_all(True)


def assemble(
    uid: str,
    title: str,
    about: str,
    since: str,
    variables: Sequence[dashboard.QueryVariable],
    panels: Sequence[Builder[Panel]],
) -> Resource:
    """A dashboard in the folder of its own name. ``since`` is where its time range begins, such as ``now-24h``."""
    made = dashboard.Dashboard(title).uid(uid).description(about).tags([TAG]).timezone(TIME_ZONE).time(since, "now")
    # Half a minute: the wall is for seconds, this is for looking at.
    made = made.refresh("30s").week_start("monday").editable()
    for variable in variables:
        made = made.with_variable(variable)
    for n, panel in enumerate(panels, 1):
        made = made.with_panel(_numbered(panel, n))
    return Resource(Kind.DASHBOARD, uid, title, {"dashboard": stamped(plain(made.build())), "folderUid": uid})


def _numbered(panel: Any, n: int) -> Builder[Panel]:
    numbered: Builder[Panel] = panel.id(n)
    return numbered


def _variable(name: str, label: str, sql: str) -> dashboard.QueryVariable:
    variable = dashboard.QueryVariable(name).label(label).datasource(source()).query(sql)
    return variable.refresh(VariableRefresh.ON_DASHBOARD_LOAD).allow_custom_value(False)


def _red_from(value: float) -> dashboard.ThresholdsConfig:
    steps = [Threshold(None, "green"), Threshold(value, "red")]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _coloured(panel: Any) -> Any:
    for name, colour in COLOURS.items():
        fixed = {"mode": "fixed", "fixedColor": colour}
        panel = panel.override_by_name(name, [DynamicConfigValue(id_val="color", value=fixed)])
    return panel
