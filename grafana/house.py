"""All that we want in a Grafana, put together from a few settings."""

from dataclasses import dataclass

from grafana.alerts import alerts
from grafana.contacts import contacts
from grafana.dashboards import boards
from grafana.datasource import Database, datasource
from grafana.folder import folders
from grafana.resource import Resource


@dataclass(frozen=True, slots=True)
class House:
    """``runbooks`` is where docs/runbooks can be read; ``contacts`` are ``type:address`` (``grafana.contacts``)."""

    database: Database
    runbooks: str
    contacts: tuple[str, ...] = ()


def wanted(house: House) -> list[Resource]:
    """Folders, data source, contact points, dashboards, rules. Raises ``BadContact``."""
    reached = contacts(house.contacts)
    return [
        *folders(),
        datasource(house.database),
        *reached,
        *boards(),
        *alerts(house.runbooks, notify=bool(reached)),
    ]
