"""The dashboards: one an audience. ``boards`` gives all of them."""

from grafana.dashboards import bureau, duty, operators
from grafana.resource import Resource


def boards() -> list[Resource]:
    """Duty, bureau, operators."""
    return [duty.board(), bureau.board(), operators.board()]
