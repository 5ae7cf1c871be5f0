"""A Grafana on loopback that knows the HTTP API of 11.6 by its paths, bodies and answers, and nothing more.

Whatever Grafana does not know (a path, a field, a missing one, another type) is refused and remembered in ``complaints``;
the fixture ``fake`` fails the test then. Shapes and answers: Grafana's HTTP API reference (folder, dashboard, data source,
search, alerting provisioning) and the types behind it.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.grafana.shapes import Refused, check, check_board, check_rule, check_uid

TOKEN = "glsa_of_a_test"
_TIMES = {"created": "2026-05-12T14:00:00+08:00", "updated": "2026-05-12T14:00:00+08:00"}
# Kinds of receivers whose address Grafana keeps as a secret and never gives back.
_SECRET = {"dingding": "url", "wecom": "url"}


class Fake:
    """What it holds: ``folders, sources, boards, rules, contacts``, each by uid; ``calls`` as (method, path), changes only in
    ``changes``."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, Any]] = {}
        self.sources: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, str] = {}
        self.boards: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.contacts: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.complaints: list[str] = []
        self.failing: int | None = None
        self._ids = iter(range(1, 10_000))

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0] != "GET"]

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> tuple[int, Any]:
        """Status and body."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.calls.append((method, path))
        try:
            if headers.get("Authorization") != f"Bearer {TOKEN}":
                raise Refused(401, "Unauthorized", ours=False)
            if self.failing is not None and method != "GET":
                self.failing -= 1
                if self.failing < 0:
                    raise Refused(500, "database is locked", ours=False)
            if raw and (headers.get("Content-Type") or "").partition(";")[0] != "application/json":
                raise Refused(415, "no JSON")
            body = json.loads(raw) if raw else None
            if (body is None) != (method in {"GET", "DELETE"}):
                raise Refused(400, "a body where there is none, or none where there is one")
            for route, call in self._routes().items():
                found = re.fullmatch(route, f"{method} {path}")
                if found:
                    return call(*map(unquote, found.groups()), *([body] if body is not None else []), query=query)
            raise Refused(404, "Not found")
        except Refused as refused:
            if refused.ours:
                self.complaints.append(f"{method} {target}: {refused}")
            return refused.status, {"message": str(refused)}

    def _routes(self) -> dict[str, Callable[..., tuple[int, Any]]]:
        rules, contacts = "/api/v1/provisioning/alert-rules", "/api/v1/provisioning/contact-points"
        return {
            r"GET /api/search": self.search,
            r"GET /api/folders/([^/]+)": self.get_folder,
            r"POST /api/folders": self.post_folder,
            r"PUT /api/folders/([^/]+)": self.put_folder,
            r"DELETE /api/folders/([^/]+)": self.delete_folder,
            r"GET /api/datasources/uid/([^/]+)": self.get_source,
            r"POST /api/datasources": self.post_source,
            r"PUT /api/datasources/uid/([^/]+)": self.put_source,
            r"DELETE /api/datasources/uid/([^/]+)": self.delete_source,
            r"GET /api/dashboards/uid/([^/]+)": self.get_board,
            r"POST /api/dashboards/db": self.post_board,
            r"DELETE /api/dashboards/uid/([^/]+)": self.delete_board,
            rf"GET {rules}": lambda query: (200, list(self.rules.values())),
            rf"POST {rules}": self.post_rule,
            rf"PUT {rules}/([^/]+)": self.put_rule,
            rf"DELETE {rules}/([^/]+)": self.delete_rule,
            rf"GET {contacts}": lambda query: (200, [_hidden(one) for one in self.contacts.values()]),
            rf"POST {contacts}": self.post_contact,
            rf"PUT {contacts}/([^/]+)": self.put_contact,
            rf"DELETE {contacts}/([^/]+)": self.delete_contact,
        }

    # Search ---------------------------------------------------------------------------------------------------------

    def search(self, query: Mapping[str, list[str]]) -> tuple[int, Any]:
        if unknown := query.keys() - {"tag", "type", "limit", "folderUIDs"}:
            raise Refused(400, f"unknown {sorted(unknown)}")
        if (
            query.get("type", ["dash-db"]) not in (["dash-db"], ["dash-folder"])
            or int(query.get("limit", ["1"])[0]) > 5000
        ):
            raise Refused(422, "search")
        hits = []
        for uid, held in self.boards.items():
            tags = held["dashboard"].get("tags", [])
            if set(query.get("tag", [])) <= set(tags) and held["folderUid"] in query.get(
                "folderUIDs", [held["folderUid"]]
            ):
                hits.append({"id": held["dashboard"]["id"], "uid": uid, "title": held["dashboard"]["title"], "type": "dash-db",
                             "uri": f"db/{uid}", "url": f"/d/{uid}/x", "slug": "", "tags": tags, "isStarred": False,
                             "folderUid": held["folderUid"]})  # fmt: skip
        return 200, hits

    # Folders --------------------------------------------------------------------------------------------------------

    def get_folder(self, uid: str, query: Any) -> tuple[int, Any]:
        return 200, _held(self.folders, uid, "folder not found")

    def post_folder(self, body: Any, query: Any) -> tuple[int, Any]:
        check(body, {"title": str}, {"uid": str, "parentUid": str})
        if body["uid"] in self.folders:
            raise Refused(409, "a folder with that uid already exists")
        check_uid(body["uid"])
        folder = {"id": next(self._ids), "uid": body["uid"], "orgId": 1, "title": body["title"], "url": f"/dashboards/f/{body['uid']}/x",
                  "hasAcl": False, "canSave": True, "canEdit": True, "canAdmin": True, "canDelete": True, "createdBy": "sa",
                  "updatedBy": "sa", "version": 1, **_TIMES}  # fmt: skip
        self.folders[body["uid"]] = folder
        return 200, folder

    def put_folder(self, uid: str, body: Any, query: Any) -> tuple[int, Any]:
        check(body, {"title": str}, {"version": int, "overwrite": bool})
        folder = _held(self.folders, uid, "folder not found")
        if not body.get("overwrite") and body.get("version") != folder["version"]:
            raise Refused(412, "the folder has been changed by someone else")
        folder.update(title=body["title"], version=folder["version"] + 1)
        return 200, folder

    def delete_folder(self, uid: str, query: Mapping[str, list[str]]) -> tuple[int, Any]:
        _held(self.folders, uid, "folder not found")
        if any(rule["folderUID"] == uid for rule in self.rules.values()) and query.get("forceDeleteRules") != ["true"]:
            raise Refused(400, "folder cannot be deleted: folder contains alert rules")
        self.boards = {key: held for key, held in self.boards.items() if held["folderUid"] != uid}
        del self.folders[uid]
        return 200, {"message": "Folder deleted", "id": 1}

    # Data sources ---------------------------------------------------------------------------------------------------

    def get_source(self, uid: str, query: Any) -> tuple[int, Any]:
        return 200, _held(self.sources, uid, "Data source not found")

    def _source(self, body: Any, id: int, version: int) -> dict[str, Any]:
        check(body, {"name": str, "type": str, "access": str}, {
            "uid": str, "url": str, "user": str, "database": str, "basicAuth": bool, "basicAuthUser": str, "withCredentials": bool,
            "isDefault": bool, "jsonData": (dict, type(None)), "secureJsonData": dict, "version": int, "id": int, "orgId": int,
        })  # fmt: skip
        if body["access"] not in {"proxy", "direct"}:
            raise Refused(400, "access")
        if body["type"] != "grafana-postgresql-datasource":
            raise Refused(400, "no such plugin")
        check(body["jsonData"], {"database": str, "sslmode": str}, {
            "maxOpenConns": int, "maxIdleConns": int, "maxIdleConnsAuto": bool, "connMaxLifetime": int, "postgresVersion": int,
            "timescaledb": bool, "tlsConfigurationMethod": str,
        })  # fmt: skip
        check(body.get("secureJsonData", {}), {}, {"password": str, "tlsCACert": str})
        if password := body.get("secureJsonData", {}).get("password"):
            self.secrets[body["uid"]] = password
        plain = {key: value for key, value in body.items() if key != "secureJsonData"}
        return {"id": id, "orgId": 1, "typeLogoUrl": "public/img.svg", "database": "", "basicAuth": False, "basicAuthUser": "",
                "withCredentials": False, "version": version, "readOnly": False, "apiVersion": "",
                "secureJsonFields": {"password": True} if body["uid"] in self.secrets else {}, **plain}  # fmt: skip

    def post_source(self, body: Any, query: Any) -> tuple[int, Any]:
        if body.get("uid") in self.sources or body.get("name") in {one["name"] for one in self.sources.values()}:
            raise Refused(409, "data source with the same name already exists")
        made = self._source(body, next(self._ids), 1)
        check_uid(made["uid"])
        self.sources[made["uid"]] = made
        return 200, {"datasource": made, "id": made["id"], "message": "Datasource added", "name": made["name"]}

    def put_source(self, uid: str, body: Any, query: Any) -> tuple[int, Any]:
        held = _held(self.sources, uid, "Data source not found")
        self.sources[uid] = self._source(body, held["id"], held["version"] + 1)
        return 200, {
            "datasource": self.sources[uid],
            "id": held["id"],
            "message": "Datasource updated",
            "name": held["name"],
        }

    def delete_source(self, uid: str, query: Any) -> tuple[int, Any]:
        _held(self.sources, uid, "Data source not found")
        del self.sources[uid]
        self.secrets.pop(uid, None)
        return 200, {"message": "Data source deleted", "id": 1}

    # Dashboards -----------------------------------------------------------------------------------------------------

    def get_board(self, uid: str, query: Any) -> tuple[int, Any]:
        held = _held(self.boards, uid, "Dashboard not found")
        meta = {"type": "db", "isStarred": False, "url": f"/d/{uid}/x", "folderId": 1, "folderUid": held["folderUid"], "slug": "x",
                "version": held["dashboard"]["version"], "provisioned": False, **_TIMES}  # fmt: skip
        return 200, {"dashboard": held["dashboard"], "meta": meta}

    def post_board(self, body: Any, query: Any) -> tuple[int, Any]:
        check(body, {"dashboard": dict}, {"folderUid": str, "folderId": int, "message": str, "overwrite": bool})
        board = body["dashboard"]
        check_board(board)
        if body.get("folderUid", "") not in {"", *self.folders}:
            raise Refused(400, "folder not found")
        held = self.boards.get(board["uid"])
        if held and not body.get("overwrite") and board.get("version") != held["dashboard"]["version"]:
            raise Refused(412, "the dashboard has been changed by someone else")
        id, version = (held["dashboard"]["id"], held["dashboard"]["version"] + 1) if held else (next(self._ids), 1)
        stored = {**board, "id": id, "version": version}
        self.boards[board["uid"]] = {"dashboard": stored, "folderUid": body.get("folderUid", "")}
        return 200, {"id": id, "uid": board["uid"], "url": f"/d/{board['uid']}/x", "status": "success", "version": version,
                     "slug": "x", "folderUid": body.get("folderUid", "")}  # fmt: skip

    def delete_board(self, uid: str, query: Any) -> tuple[int, Any]:
        held = _held(self.boards, uid, "Dashboard not found")
        del self.boards[uid]
        title = held["dashboard"]["title"]
        return 200, {"title": title, "message": f"Dashboard {title} deleted", "uid": uid}

    # Alert rules ----------------------------------------------------------------------------------------------------

    def _rule(self, body: Any, uid: str, id: int) -> dict[str, Any]:
        check_rule(body)
        if body["folderUID"] not in self.folders:
            raise Refused(400, "invalid alert rule: folder does not exist")
        receiver = (body.get("notification_settings") or {}).get("receiver")
        if receiver and receiver not in {"grafana-default-email", *(one["name"] for one in self.contacts.values())}:
            raise Refused(400, "invalid notification settings: receiver does not exist")
        if any(rule["title"] == body["title"] and rule["folderUID"] == body["folderUID"] and rule["uid"] != uid
               for rule in self.rules.values()):  # fmt: skip
            raise Refused(400, "a conflicting alert rule is found: rule title under the same folder should be unique")
        data = [{"queryType": "", **query} for query in body["data"]]
        return {**body, "id": id, "uid": uid, "orgID": 1, "data": data, "updated": "2026-05-12T06:00:00Z", "provenance": "api",
                "record": None}  # fmt: skip

    def post_rule(self, body: Any, query: Any) -> tuple[int, Any]:
        if body.get("uid") in self.rules:
            raise Refused(409, "rule uid already exists")
        check_uid(body.get("uid", ""))
        self.rules[body["uid"]] = self._rule(body, body["uid"], next(self._ids))
        return 201, self.rules[body["uid"]]

    def put_rule(self, uid: str, body: Any, query: Any) -> tuple[int, Any]:
        held = _held(self.rules, uid, "")
        self.rules[uid] = self._rule(body, uid, held["id"])
        return 200, self.rules[uid]

    def delete_rule(self, uid: str, query: Any) -> tuple[int, Any]:
        self.rules.pop(uid, None)
        return 204, None

    # Contact points -------------------------------------------------------------------------------------------------

    def _contact(self, body: Any, uid: str) -> dict[str, Any]:
        check(body, {"name": str, "type": str, "settings": dict}, {"uid": str, "disableResolveMessage": bool})
        needed = {"email": "addresses", "dingding": "url", "wecom": "url", "webhook": "url"}.get(body["type"])
        if needed is None or not body["settings"].get(needed):
            raise Refused(400, f"invalid object specification: {body['type']}")
        check_uid(uid)
        return {**body, "uid": uid, "provenance": "api"}

    def post_contact(self, body: Any, query: Any) -> tuple[int, Any]:
        if body.get("uid") in self.contacts:
            raise Refused(500, "receiver configuration with UID already exists")
        self.contacts[body["uid"]] = self._contact(body, body["uid"])
        return 202, _hidden(self.contacts[body["uid"]])

    def put_contact(self, uid: str, body: Any, query: Any) -> tuple[int, Any]:
        _held(self.contacts, uid, "contact point not found")
        self.contacts[uid] = self._contact(body, uid)
        return 202, {"message": "contactpoint updated"}

    def delete_contact(self, uid: str, query: Any) -> tuple[int, Any]:
        held = _held(self.contacts, uid, "contact point not found")
        last = sum(one["name"] == held["name"] for one in self.contacts.values()) == 1
        used = any(
            (rule.get("notification_settings") or {}).get("receiver") == held["name"] for rule in self.rules.values()
        )
        if last and used:
            raise Refused(409, "contact point is used by one or more rules")
        del self.contacts[uid]
        return 202, {"message": "contactpoint deleted"}


def _held(things: dict[str, dict[str, Any]], uid: str, message: str) -> dict[str, Any]:
    if uid not in things:
        raise Refused(404, message, ours=False)
    return things[uid]


def _hidden(contact: Mapping[str, Any]) -> dict[str, Any]:
    secret = _SECRET.get(contact["type"])
    settings = {key: "[REDACTED]" if key == secret else value for key, value in contact["settings"].items()}
    return {**contact, "settings": settings}


def serve(fake: Fake) -> tuple[ThreadingHTTPServer, str]:
    """Answer on a free port of loopback; the server, to be shut down, and its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = fake.answer(self.command, self.path, self.headers, raw)
            told = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _do  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"
