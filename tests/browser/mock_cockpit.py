"""A stand-in for the API behind the wall: plausible figures, a live feed, sessions; standard library only.

    python tests/browser/mock_cockpit.py --port 8765 --scenario filled --rate 0.5
    python tests/browser/mock_cockpit.py --scenario empty --key secret

`POST /mock/event` with a ticker item's fields puts one event on the feed, `POST /mock/down` and `POST /mock/up` stop and
restore the answers of the API. Names of units are invented.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import queue
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DIST = Path(__file__).resolve().parents[2] / "web" / "dist"
LEVELS = ("red", "orange", "yellow", "blue")
LEVEL_WEIGHTS = (1, 3, 9, 12)
PHASE_STATES = {
    "warn": ("reported", "assessed"),
    "intervene": ("dispatched", "handling", "submitted"),
    "review": ("closed", "reviewing"),
}
TIERS = {"school": "学校", "university": "高校", "district": "区县", "city": "市"}
CATEGORIES = (
    ("01", "消防安全"), ("04", "食品与饮水"), ("03", "校舍与设施"), ("02", "实验室与危化品"), ("05", "交通安全"),
    ("06", "治安与门卫"), ("07", "体育与户外"), ("09", "心理健康"), ("10", "欺凌与侵害"),
)  # fmt: skip
DISTRICTS = (
    ("330203", "海曙区", 121.42, 29.86), ("330205", "江北区", 121.50, 29.96), ("330206", "北仑区", 121.84, 29.90),
    ("330211", "镇海区", 121.60, 30.00), ("330212", "鄞州区", 121.65, 29.78), ("330213", "奉化区", 121.41, 29.65),
    ("330225", "象山县", 121.80, 29.45), ("330226", "宁海县", 121.43, 29.29), ("330281", "余姚市", 121.15, 30.04),
    ("330282", "慈溪市", 121.33, 30.22),
)  # fmt: skip
UNIVERSITIES = tuple(
    (f"330200-{n:03d}", f"{name}大学", lon, lat)
    for n, (name, lon, lat) in enumerate(
        (("东湖", 121.63, 29.91), ("江畔", 121.53, 29.93), ("滨海", 121.80, 29.86), ("南塘", 121.55, 29.80),
         ("四明", 121.40, 29.83), ("翠屏", 121.56, 29.86), ("甬江", 121.60, 29.95), ("海塘", 121.25, 30.20),
         ("象港", 121.87, 29.47), ("桃源", 121.44, 29.30)),
        1,
    )
)  # fmt: skip
SENTENCES = (
    ("0101", "疏散通道与安全出口", "3号楼二层东侧安全出口被上锁，堆有纸箱"),
    ("0104", "电动车违规充电停放", "宿舍楼一层楼道内有电动车充电，飞线入户"),
    ("0202", "气瓶与高温高压设备", "化学楼实验室氢气瓶未固定，报警器无响应"),
    ("0102", "消防设施器材", "食堂后厨灭火器压力不足，检查卡逾期两个月"),
    ("0301", "房屋结构与外墙", "教学楼北侧外墙瓷砖松动，已拉警戒线"),
    ("0401", "食品加工与留样", "留样柜温度偏高，当日留样不全"),
)
SCHOOLS = ("明湖小学", "望江中学", "松岭实验学校", "海晏幼儿园", "平川职业高级中学", "桐江中学东校区")
WARNED = (
    ("cluster", "orange", "海曙区教育局", "近4天 4 个单位出现“食品与饮用水”类隐患共 9 件，描述中有相同线索，各自偶然同时出现的可能为万分之二"),
    ("weather", "orange", "示范市教育局", "台风橙色预警，涉及 12 个区域或高校；相关隐患尚有 31 件未销号，请先行排查"),
    ("surge", "yellow", "望江中学", "近3天“消防安全”类隐患 7 件，按本单位规律约 0.8 件，偶然出现的可能为万分之一以下"),
    ("recurrence", "yellow", "明湖小学", "“外墙脱落与高空坠物”在同一处销号 21 天后再次出现"),
    ("pileup", "yellow", "松岭实验学校", "超期未销号 9 件，本单位常态约 1.2 件"),
)  # fmt: skip
KINDS = ("opened", "opened", "attached", "assess", "dispatch", "climbed", "submit", "close")


def iso(moment: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class City:
    """Figures that follow the events put into it."""

    def __init__(self, scenario: str, seed: int = 7) -> None:
        self.chance = random.Random(seed)
        self.full = scenario == "filled"
        self.lock = threading.Lock()
        self.recent: list[dict[str, Any]] = []
        self.climbed: list[dict[str, Any]] = []
        self.today = dict.fromkeys(("reports", "hazards", "attached", "quiet", "dead", "closed", "climbed"), 0)
        self.matrix = {(level, phase): 0 for level in LEVELS for phase in PHASE_STATES}
        self.units: dict[str, dict[str, int]] = {
            code: dict.fromkeys(LEVELS, 0) for code, *_ in DISTRICTS + UNIVERSITIES
        }
        self.climbed_in = dict.fromkeys(TIERS, 0)
        self.listeners: list[queue.Queue[dict[str, Any]]] = []
        if self.full:
            self._fill()

    def _fill(self) -> None:
        self.today.update(reports=1286, hazards=174, attached=96, quiet=987, dead=2, closed=141)
        for level, counts in zip(LEVELS, ((3, 4, 2), (9, 17, 6), (31, 62, 0), (58, 79, 0)), strict=True):
            for phase, count in zip(PHASE_STATES, counts, strict=True):
                self.matrix[level, phase] = count
        for at, code in enumerate(self.units):
            for level, most in zip(LEVELS, (2, 4, 12, 16), strict=True):
                self.units[code][level] = self.chance.randint(0, most) if at != 7 else 0
        start = datetime.now(UTC) - timedelta(minutes=40)
        for step in range(40):
            self.put(self.event(), at=start + timedelta(minutes=step, seconds=self.chance.randint(0, 50)))
        self.today.update(climbed=17)
        self.climbed_in.update(university=6, district=4, city=7)

    def event(self) -> dict[str, Any]:
        """A plausible event."""
        level = self.chance.choices(LEVELS, LEVEL_WEIGHTS)[0]
        code, label, summary = self.chance.choice(SENTENCES)
        district, name, *_ = self.chance.choice(DISTRICTS)
        university = self.chance.random() < 0.4
        home = self.chance.choice(UNIVERSITIES)
        kind = self.chance.choice(KINDS)
        tier = (
            "city" if level == "red" else "university" if university else "district" if kind == "climbed" else "school"
        )
        return {
            "kind": kind, "id": f"h{self.chance.getrandbits(48):012x}", "level": level, "state": "reported", "phase": "warn",
            "unit": home[0] if university else f"{district}-001", "district": district, "subcategory": code, "label": label,
            "unit_name": home[1] if university else name[:-1] + self.chance.choice(SCHOOLS), "tier": tier, "summary": summary,
        }  # fmt: skip

    def put(self, event: dict[str, Any], at: datetime | None = None) -> dict[str, Any]:
        """Lands one event and tells the listeners; returns it as sent."""
        item = {**self.event(), **event, "at": iso(at or datetime.now(UTC))}
        if item["kind"] == "climbed" and item["tier"] == "school":
            item["tier"] = "district"
        item["tier_label"] = TIERS.get(item["tier"], "")
        with self.lock:
            self.recent = [item, *self.recent][:30]
            self.today["reports"] += item["kind"] in ("opened", "attached")
            if item["kind"] == "opened":
                self.today["hazards"] += 1
                self.matrix[item["level"], "warn"] += 1
                self.units.get(item["unit"], self.units[item["district"]])[item["level"]] += 1
            if item["kind"] == "climbed":
                self.today["climbed"] += 1
                self.climbed_in[item["tier"]] += 1
                reason = "level" if item["level"] in ("red", "orange") else "deadline"
                row = {key: item[key] for key in ("id", "at", "unit_name", "label", "level")}
                row |= {"from_tier": "school", "to_tier": item["tier"], "reason": reason}
                self.climbed = [row, *self.climbed][:12]
            for listener in self.listeners:
                listener.put(item)
        return item

    def figures(self) -> dict[str, Any]:
        """The answer of `GET /api/v1/cockpit`."""
        now = datetime.now(UTC)
        with self.lock:
            level = {one: sum(self.matrix[one, phase] for phase in PHASE_STATES) for one in LEVELS}
            phase = {one: sum(self.matrix[lv, one] for lv in LEVELS) for one in PHASE_STATES}
            total = sum(level.values())
            units = [self._unit("district", *row) for row in DISTRICTS] + [
                self._unit("university", *row) for row in UNIVERSITIES
            ]
            return {
                "as_of": iso(now), "unit": {"code": "330200", "name": "示范市教育局", "tier": "city"}, "today": dict(self.today),
                "open": {
                    "total": total, "overdue": total // 21, "major": level["red"], "listed": level["red"] // 2,
                    "by_level": level, "by_phase": phase, "by_state": {},
                    "matrix": [{"level": lv, "phase": ph, "count": n} for (lv, ph), n in self.matrix.items()],
                },
                "tiers": self._tiers(total), "hours": self._hours(now),
                "categories": [
                    {"code": code, "name": name, "open": int(total * share)}
                    for (code, name), share in zip(CATEGORIES, (0.34, 0.21, 0.14, 0.1, 0.08, 0.06, 0.04, 0.02, 0.01), strict=True)
                ],
                "units": units, "urgent": self._urgent(now), "climbed": list(self.climbed),
                "rates": dict(zip(("closing", "timely", "false_report", "usage"),
                                  (0.864, 0.927, 0.031, None) if self.full else (None,) * 4, strict=True)),
                "times": dict(zip(("response_p50", "response_p90", "handling_p50", "handling_p90"),
                                  (620, 2900, 93_600, 410_000) if self.full else (None,) * 4, strict=True)),
                "recent": list(self.recent), "warnings": self._warnings(now), "forecast": self._forecast(now),
            }  # fmt: skip

    def _warnings(self, now: datetime) -> list[dict[str, Any]]:
        return [
            {
                "id": f"w{at}", "kind": kind, "label": kind, "grade": grade, "state": "acknowledged" if at == 1 else "open",
                "unit_name": name, "sentence": sentence, "opened_at": iso(now - timedelta(hours=7 * at)),
            }
            for at, (kind, grade, name, sentence) in enumerate(WARNED)
        ] if self.full else []  # fmt: skip

    def _forecast(self, now: datetime) -> dict[str, Any] | None:
        if not self.full:
            return None
        points = [
            {"day": f"{now + timedelta(days=n):%Y-%m-%d}", "index": 58, "low": 58 - 9 * n**0.5, "high": 58 + 7 * n**0.5}
            for n in range(1, 15)
        ]
        return {"at": iso(now), "index": 58, "points": points}

    def _unit(self, kind: str, code: str, name: str, lon: float, lat: float) -> dict[str, Any]:
        counts = self.units[code]
        return {"code": code, "name": name, "kind": kind, "lon": lon, "lat": lat, "open": sum(counts.values()),
                "by_level": dict(counts), "overdue": counts["yellow"] // 4}  # fmt: skip

    def _tiers(self, total: int) -> list[dict[str, Any]]:
        shares = {"school": 0.68, "university": 0.16, "district": 0.11, "city": 0.05}
        none = dict.fromkeys(LEVELS, 0)
        return [
            {
                "tier": tier,
                "label": label,
                "open": int(total * shares[tier]),
                "by_level": none,
                "climbed_in": self.climbed_in[tier],
            }
            for tier, label in TIERS.items()
        ]

    def _hours(self, now: datetime) -> list[dict[str, Any]]:
        start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
        steady = random.Random(3)
        found = []
        for step in range(24):
            hour = start + timedelta(hours=step)
            busy = max(0.04, 1 - abs((hour.hour + 8) % 24 - 13) / 9) if self.full else 0
            reports = int(busy * steady.randint(70, 120))
            found.append({"hour": iso(hour), "reports": reports, "hazards": reports // 4, "closed": reports // 5})
        return found

    def _urgent(self, now: datetime) -> list[dict[str, Any]]:
        if not self.full:
            return []
        minutes = (-125, -9, 8, 26, 95, 260, 700, 1500, 1700, 1900, 2500, 3100)
        rows = []
        for at, left in enumerate(minutes):
            code, label, _ = SENTENCES[at % len(SENTENCES)]
            school = SCHOOLS[at % len(SCHOOLS)] if at % 3 else UNIVERSITIES[at % len(UNIVERSITIES)][1]
            rows.append({
                "id": f"u{at}", "unit_name": school, "subcategory": code, "label": label, "level": LEVELS[at % 3 % 2],
                "state": ("reported", "dispatched", "handling")[at % 3], "tier": ("city", "district", "university")[at % 3],
                "opened_at": iso(now - timedelta(hours=3)), "due_at": iso(STARTED + timedelta(minutes=left)),
                "due_kind": ("assess", "control", "rectify")[at % 3],
            })  # fmt: skip
        return rows


STARTED = datetime.now(UTC)


class Handler(BaseHTTPRequestHandler):
    """The API and the built page of one `Server`."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the page asks twice a second."""

    def _send(self, status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _json(self, value: object, status: int = 200) -> None:
        self._send(status, json.dumps(value, ensure_ascii=False).encode())

    def _allowed(self) -> bool:
        if self.server.key is None:
            return True
        cookie = SimpleCookie(self.headers.get("Cookie", ""))
        return "session" in cookie and cookie["session"].value == self.server.session

    def do_GET(self) -> None:
        """Figures, stream, page."""
        path = urlsplit(self.path).path
        if not path.startswith("/api/"):
            self._file(path)
        elif self.server.down:
            self._json({"title": "down", "status": 503}, 503)
        elif not self._allowed():
            self._json({"title": "未提供有效凭据", "status": 401}, 401)
        elif path.endswith("/stream"):
            self._stream()
        elif path.endswith("/cockpit"):
            self._json(self.server.city.figures())
        else:
            self._json({"name": "wall", "unit": "330200", "role": "display", "demo": self.server.key is None})

    def do_POST(self) -> None:
        """Sessions, and the handles of a test."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        path = urlsplit(self.path).path
        if path == "/api/v1/session":
            if self.server.key is not None and body.get("key") != self.server.key:
                self._json({"title": "密钥无效", "status": 401}, 401)
            else:
                self._send(204, Set_Cookie=f"session={self.server.session}; Path=/; HttpOnly; SameSite=Strict")
        elif path == "/mock/event":
            self._json(self.server.city.put(body))
        elif path in ("/mock/down", "/mock/up"):
            self.server.down = path == "/mock/down"
            self._json({"down": self.server.down})
        else:
            self._json({"status": 404}, 404)

    def _file(self, path: str) -> None:
        file = (DIST / path.lstrip("/")).resolve()
        if file.is_dir():
            file /= "index.html"
        if not file.is_relative_to(DIST) or not file.is_file():
            self._send(404, b"not found", "text/plain")
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._send(200, file.read_bytes(), kind)

    def _stream(self) -> None:
        mine: queue.Queue[dict[str, Any]] = queue.Queue(1000)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.server.city.listeners.append(mine)
        number, pinged = 0, time.monotonic()
        event, data = "hello", json.dumps({"as_of": iso(datetime.now(UTC))})
        try:
            while not self.server.down:
                if event:
                    number += 1
                    self.wfile.write(f"id: {number}\nevent: {event}\ndata: {data}\n\n".encode())
                    self.wfile.flush()
                    pinged = time.monotonic()
                try:
                    event, data = "hazard", json.dumps(mine.get(timeout=0.5), ensure_ascii=False)
                except queue.Empty:
                    event, data = ("ping", "{}") if time.monotonic() - pinged > 15 else ("", "")
        except OSError:
            pass
        finally:
            self.server.city.listeners.remove(mine)


class Server(ThreadingHTTPServer):
    """One mock deployment."""

    daemon_threads = True

    def __init__(self, port: int = 0, scenario: str = "filled", key: str | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.city = City(scenario)
        self.key = key
        self.session = f"{random.getrandbits(64):x}"
        self.down = False


def main() -> None:
    """Serves until interrupted, with `--rate` events a second."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=8765)
    options.add_argument("--scenario", choices=("filled", "empty"), default="filled")
    options.add_argument("--key")
    options.add_argument("--rate", type=float, default=0.0)
    given = options.parse_args()
    server = Server(given.port, given.scenario, given.key)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        time.sleep(1 / given.rate if given.rate > 0 else 1)
        if given.rate > 0 and not server.down:
            server.city.put({})


if __name__ == "__main__":
    main()
