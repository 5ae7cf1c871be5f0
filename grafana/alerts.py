"""Alert rules. Each asks one figure of ``figures.pulse``, which always has its row: no data then means that the database is away."""

# Statements are put together from constants of this package; what a person chose comes in by Grafana, quoted.
# ruff: noqa: S608

from dataclasses import dataclass

from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from grafana.contacts import NAME
from grafana.query import Query
from grafana.resource import Kind, Resource, plain
from grafana.words import DATASOURCE, DUTY, OPERATORS, PREFIX

GROUP = "campus-risk"


@dataclass(frozen=True, slots=True)
class Alert:
    """Fires when the figure is above ``above`` for ``holds``. ``runbook`` is a page of docs/runbooks."""

    name: str
    title: str
    folder: str
    figure: str
    above: float
    holds: str
    severity: str
    runbook: str
    summary: str


ALERTS = (
    # The clock sweeps every half second: a minute late is no load, it is a keeper that is down.
    Alert("unswept", "到期未升级", OPERATORS, "unswept_seconds", 60, "1m", "critical", "kafka-down.md",
          "有到期时限一分钟以上无人处理：值守进程 keeper 可能停了，逾期不会升级。"),
    # The relay sends within a second; five minutes is a Kafka or relay that is away, not a busy moment.
    Alert("outbox", "发件箱积压", OPERATORS, "outbox_seconds", 300, "2m", "critical", "kafka-down.md",
          "最老的待发消息已超过五分钟：Kafka 或转发停了。上报仍可收下，不会丢。"),
    Alert("dead-letters", "有死信", OPERATORS, "dead", 0, "5m", "warning", "dead-letters.md",
          "有记录无法受理，原文已保存，等待处置。"),
    # The same patience as the audit's: two minutes.
    Alert("waiting", "上报未落库", OPERATORS, "waiting_seconds", 120, "2m", "critical", "worker-stalled.md",
          "有上报收下两分钟以上仍未研判入库。"),
    # The figure itself waits a quarter of an hour, the assessor's deadline for red.
    Alert("red-unassessed", "红色隐患未研判", DUTY, "red_unassessed", 0, "1m", "critical", "red-unassessed.md",
          "有红色隐患超过十五分钟未研判，请研判员立即处置。"),
)  # fmt: skip


def alerts(runbooks: str, *, notify: bool) -> list[Resource]:
    """The rules. ``runbooks`` is where docs/runbooks can be read, ``notify`` whether there is a contact point of ours;
    otherwise Grafana's default policy routes them."""
    return [_rule(alert, runbooks, notify=notify) for alert in ALERTS]


def _rule(alert: Alert, runbooks: str, *, notify: bool) -> Resource:
    uid = f"{PREFIX}{alert.name}"
    rule = (
        alerting.Rule(alert.title)
        .uid(uid)
        .folder_uid(alert.folder)
        .rule_group(GROUP)
        # Grafana puts the organisation of the token here; the field must be there.
        .org_id(1)
        .condition("B")
        .with_query(
            alerting.Query("A")
            .datasource_uid(DATASOURCE)
            .relative_time_range(RelativeTimeRange(600, 0))
            .model(Query(f"SELECT {alert.figure}::float8 AS value FROM figures.pulse").alerting())
        )
        .with_query(
            alerting.Query("B")
            .datasource_uid("__expr__")
            .relative_time_range(RelativeTimeRange(600, 0))
            .model(_above(alert.above))
        )
        .for_val(alert.holds)
        .no_data_state("Alerting")
        .exec_err_state("Alerting")
        .is_paused(False)
        .labels({"app": "campus-risk", "severity": alert.severity})
        .annotations({"summary": alert.summary, "runbook_url": f"{runbooks.rstrip('/')}/{alert.runbook}"})
    )
    if notify:
        rule = rule.notification_settings(alerting.NotificationSettings().receiver(NAME))
    return Resource(Kind.RULE, uid, alert.title, plain(rule.build()))


def _above(value: float) -> expr.TypeThreshold:
    return (
        expr.TypeThreshold()
        .ref_id("B")
        .datasource(DataSourceRef(type_val="__expr__", uid="__expr__"))
        .expression("A")
        .conditions(
            [
                expr.ExprTypeThresholdConditions().evaluator(
                    expr.ExprTypeThresholdConditionsEvaluator().type("gt").params([value])
                )
            ]
        )
        .interval_ms(1000)
        .max_data_points(43200)
    )
