"""A running Grafana, through grafana-client: read what is ours there, and carry out a plan."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaException
from niquests.exceptions import RequestException

from grafana.apply import Change, Step
from grafana.folder import TITLES
from grafana.resource import Kind, Resource
from grafana.words import DATASOURCE, PREFIX, TAG

T = TypeVar("T")
# Seconds. Saving a dashboard takes tenths; a Grafana that needs longer is busy, and the same call may be made again.
_PATIENCE = 15.0
# Of the search, which gives a thousand unless told: a folder of ours with more is not ours alone.
_MOST = 5000


class Unreachable(RuntimeError):
    """Grafana did not answer, or refused. Says what was asked of it, its answer and the cure; never a secret."""


class Live:
    """One Grafana. ``token`` is of a service account with the role Admin, for alert rules and data sources ask for it."""

    def __init__(self, url: str, token: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise Unreachable(f"{url!r} is no web address of a Grafana: write https://grafana.example.edu")
        # The client puts "api" right behind a path, so that a path needs its slash.
        self._api = GrafanaApi.from_url(url.rstrip("/") + "/", credential=token, timeout=_PATIENCE)
        self._where = f"{urlsplit(url).scheme}://{urlsplit(url).netloc.rpartition('@')[2]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._api.client.s.close()

    def found(self, wanted: Iterable[Resource]) -> list[Resource]:
        """What is there of ours: all that is wanted, by its uid, and whatever else bears our mark."""
        api = self._api
        rules = self._ask("alert rules", api.alertingprovisioning.get_alertrules_all)
        contacts = self._ask("contact points", api.alertingprovisioning.get_contactpoints)
        source = self._one(f"data source {DATASOURCE}", lambda: api.datasource.get_datasource_by_uid(DATASOURCE))
        tagged = self._ask("dashboards", lambda: api.search.search_dashboards(tag=TAG, type_="dash-db", limit=_MOST))
        uids = dict.fromkeys(
            [one.uid for one in wanted if one.kind is Kind.DASHBOARD]
            + [hit["uid"] for hit in tagged if hit["uid"].startswith(PREFIX)]
        )
        return [
            *self._folders(rules),
            *([Resource(Kind.DATASOURCE, DATASOURCE, source["name"], source)] if source else []),
            *(Resource(Kind.CONTACT, one["uid"], one["name"], one) for one in contacts if _ours(one)),
            *(board for board in map(self._board, uids) if board),
            *(Resource(Kind.RULE, one["uid"], one["title"], one) for one in rules if _ours(one)),
        ]

    def carry_out(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Carry out what changes anything, one by one; each step that is done, as it is done. May be begun anew after an error."""
        for step in steps:
            if step.alters:
                self._ask(f"{step.change} {step.resource.kind} {step.resource.uid}", partial(self._do, step))
                yield step

    def _folders(self, rules: list[dict[str, Any]]) -> Iterator[Resource]:
        for uid in TITLES:
            folder = self._one(f"folder {uid}", partial(self._api.folder.get_folder, uid))
            if folder:
                inside = self._ask(
                    f"folder {uid}", partial(self._api.search.search_dashboards, folder_uids=[uid], limit=_MOST)
                )
                others = sum(not _ours(hit) for hit in inside)
                others += sum(rule["folderUID"] == uid and not _ours(rule) for rule in rules)
                yield Resource(Kind.FOLDER, uid, folder["title"], folder, others)

    def _board(self, uid: str) -> Resource | None:
        got = self._one(f"dashboard {uid}", lambda: self._api.dashboard.get_dashboard(uid))
        if got is None:
            return None
        body = {"dashboard": got["dashboard"], "folderUid": got["meta"].get("folderUid", "")}
        return Resource(Kind.DASHBOARD, uid, got["dashboard"]["title"], body)

    def _do(self, step: Step) -> Any:
        one = step.resource
        return getattr(self, f"_{'remove' if step.change is Change.REMOVE else 'put'}_{one.kind}")(one, step.change)

    def _put_folder(self, one: Resource, change: Change) -> Any:
        if change is Change.CREATE:
            return self._api.folder.create_folder(one.title, uid=one.uid)
        return self._api.folder.update_folder(one.uid, title=one.title, overwrite=True)

    def _put_datasource(self, one: Resource, change: Change) -> Any:
        if change is Change.CREATE:
            return self._api.datasource.create_datasource(dict(one.body))
        return self._api.datasource.update_datasource_by_uid(one.uid, dict(one.body))

    def _put_contact(self, one: Resource, change: Change) -> Any:
        if change is Change.CREATE:
            return self._api.alertingprovisioning.create_contactpoint(dict(one.body))
        return self._api.alertingprovisioning.update_contactpoint(one.uid, dict(one.body))

    def _put_dashboard(self, one: Resource, change: Change) -> Any:
        # By its uid: Grafana keeps its id and counts its version on.
        message = f"campus-risk grafana apply: {change}"
        return self._api.dashboard.update_dashboard(dict(one.body) | {"overwrite": True, "message": message})

    def _put_rule(self, one: Resource, change: Change) -> Any:
        if change is Change.CREATE:
            return self._api.alertingprovisioning.create_alertrule(dict(one.body))
        return self._api.alertingprovisioning.update_alertrule(one.uid, dict(one.body))

    def _remove_folder(self, one: Resource, change: Change) -> Any:
        return self._api.folder.delete_folder(one.uid)

    def _remove_datasource(self, one: Resource, change: Change) -> Any:
        return self._api.datasource.delete_datasource_by_uid(one.uid)

    def _remove_contact(self, one: Resource, change: Change) -> Any:
        return self._api.alertingprovisioning.delete_contactpoint(one.uid)

    def _remove_dashboard(self, one: Resource, change: Change) -> Any:
        return self._api.dashboard.delete_dashboard(one.uid)

    def _remove_rule(self, one: Resource, change: Change) -> Any:
        return self._api.alertingprovisioning.delete_alertrule(one.uid)

    def _one(self, what: str, call: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """One thing; None where it does not exist."""
        try:
            return self._ask(what, call)
        except Unreachable as error:
            if isinstance(error.__cause__, GrafanaException) and error.__cause__.status_code == 404:
                return None
            raise

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except GrafanaException as error:
            raise Unreachable(f"{self._where} refused ({what}): {_told(error)}") from error
        except RequestException as error:
            cure = "check CAMPUS_RISK_GRAFANA_URL, and that Grafana runs"
            raise Unreachable(f"{self._where} does not answer ({what}, {type(error).__name__}): {cure}") from error


def _ours(one: dict[str, Any]) -> bool:
    return str(one.get("uid") or "").startswith(PREFIX)


def _told(error: GrafanaException) -> str:
    if error.status_code == 401:
        return "the token is not known: make one for a service account, and set CAMPUS_RISK_GRAFANA_TOKEN"
    if error.status_code == 403:
        return "the token may not do this: its service account needs the role Admin"
    return str(error.message)
