"""An exported folder, proved offline: nothing but its own files is read, in constant memory."""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from models import export
from models.events import GENESIS, link
from store.export import MANIFEST

# Past this many the list says the same thing again.
MOST = 100


class Unreadable(ValueError):
    """A folder that is no export: says what is lacking, and the cure."""


@dataclass(slots=True)
class Proof:
    """What was read, and each thing that is amiss, in Chinese with file and line."""

    rows: int = 0
    hazards: int = 0
    unproven: int = 0
    amiss: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether the folder is as it was written."""
        return not self.amiss

    def add(self, said: str) -> None:
        """Note one thing."""
        if len(self.amiss) < MOST:
            self.amiss.append(said)


def prove(folder: Path, step: Callable[[int], None] = lambda _: None) -> Proof:
    """Read a folder whole. Raises ``Unreadable`` where it is no export."""
    manifest = _manifest(folder)
    proof = Proof()
    for name, said in manifest["files"].items():
        if not (folder / name).is_file():
            proof.add(f"{name}：文件不在了")
        elif _digest(folder / name) != said["sha256"]:
            proof.add(f"{name}：内容与清单的 SHA-256 不符")
    for name in export.FILES:
        path = folder / f"{name}.jsonl"
        if path.is_file():
            _prove_lines(name, path, manifest, proof, step)
            if (folder / f"{name}.csv").is_file():
                _prove_table(name, path, folder / f"{name}.csv", proof)
    if all((folder / f"{name}.jsonl").is_file() for name in ("hazards", "trail")):
        _prove_chains(folder, manifest, proof)
    return proof


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = orjson.loads((folder / MANIFEST).read_bytes())
        if found["schema"] > export.SCHEMA:
            raise Unreadable(f"{folder} was exported by a newer platform: upgrade this one, then check it again.")
        if set(found["files"]) != {f"{name}.{kind}" for name in export.FILES for kind in ("jsonl", "csv")}:
            raise Unreadable(f"The manifest in {folder} does not name the files of an export: fetch the folder again.")
        return dict(found)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Unreadable(
            f"{folder} holds no readable {MANIFEST} ({type(error).__name__}): name a folder that `campus-risk export` wrote."
        ) from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """The lines of a file; None for one that is no JSON object of ours."""
    with path.open("rb") as file:
        for raw in file:
            try:
                line = orjson.loads(raw)
                yield line if isinstance(line, dict) and isinstance(line.get("n"), int) else None
            except orjson.JSONDecodeError:
                yield None


def _with_next(lines: Iterable[dict[str, Any] | None]) -> Iterator[tuple[dict[str, Any] | None, int | None]]:
    """Each line with the number of the one after it."""
    held: list[dict[str, Any] | None] = []
    for line in lines:
        if held:
            yield held.pop(), None if line is None else line["n"]
        held.append(line)
    if held:
        yield held.pop(), None


def _prove_lines(name: str, path: Path, manifest: dict[str, Any], proof: Proof, step: Callable[[int], None]) -> None:
    """Each line is the one that was written, in its place; what is not is named."""
    last, at, gone = (0, ""), 0, 0
    expected = manifest["files"][path.name]["rows"]
    for line, following in _with_next(_lines(path)):
        at += 1
        proof.rows += 1
        step(1)
        if line is None:
            proof.add(f"{path.name} 第 {at} 行：不是导出的 JSON 行")
            continue
        number, place = line["n"], at + gone
        if place < number <= expected and (following is None or following > number):
            proof.add(f"{path.name}：缺第 {place} 行" + (f"至第 {number - 1} 行" if number - place > 1 else ""))
            gone += number - place
        elif number != place:
            proof.add(f"{path.name} 第 {at} 行：原为第 {number} 行，顺序被调换{_whom(name, line)}")
        # Behind a gap or a swap the line before is not at hand, and this one's own link is taken for the next.
        if number == last[0] + 1 and export.bound(last[1], line) != line.get("link"):
            proof.add(f"{path.name} 第 {at} 行：内容被改动{_whom(name, line)}")
        last = (number, str(line.get("link")))
    if at + gone < expected:
        proof.add(f"{path.name}：缺末尾 {expected - at - gone} 行")
    elif last[1] != manifest["links"][name]:
        proof.add(f"{path.name}：末行与清单不符")


def _whom(name: str, line: dict[str, Any]) -> str:
    id = line.get("id") if name == "hazards" else line.get("hazard")
    seq = f" 第 {line['seq']} 步" if name == "trail" and "seq" in line else ""
    return f"（隐患 {id}{seq}）"


def _prove_table(name: str, lines: Path, table: Path, proof: Proof) -> None:
    """The CSV says what the JSON Lines say."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        for at, line in enumerate(_lines(lines), 1):
            row = next(rows, None)
            if row is None:
                proof.add(f"{table.name}：缺第 {at} 行及以后")
                return
            try:
                same = line is not None and row == _as_read(export.cells(name, line))
            except KeyError:
                same = False
            if not same:
                proof.add(f"{table.name} 第 {at} 行：与 {lines.name} 第 {at} 行不符")
        if next(rows, None) is not None:
            proof.add(f"{table.name}：多出行")


def _as_read(cells: list[str]) -> list[str]:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return next(csv.reader(io.StringIO(out.getvalue(), newline="")))


def _prove_chains(folder: Path, manifest: dict[str, Any], proof: Proof) -> None:
    """Each hazard's chain, recomputed from the trail's lines, ends where the hazard says."""
    events = (line for line in _lines(folder / "trail.jsonl") if line is not None)
    heads = hashlib.sha256()
    event = next(events, None)
    for hazard in _lines(folder / "hazards.jsonl"):
        if hazard is None:
            continue
        proof.hazards += 1
        id, previous, seq = hazard.get("id"), GENESIS, 0
        heads.update(f"{id}{hazard.get('trail_hash')}".encode())
        broken = False
        while event is not None and str(event.get("hazard")) < str(id):
            proof.add(f"trail.jsonl：隐患 {event.get('hazard')} 的一步不在其位，或该隐患不在 hazards.jsonl 里")
            event = next(events, None)
        while event is not None and event.get("hazard") == id:
            if not broken:
                seq += 1
                broken = not _fits(event, seq, previous, proof)
                if broken:
                    proof.add(f"履历：隐患 {id} 的哈希链在第 {seq} 步断开")
                previous = bytes.fromhex(event["hash"]) if not broken else previous
            event = next(events, None)
        if not broken and (seq != hazard.get("version") or previous.hex() != hazard.get("trail_hash")):
            proof.add(f"履历：隐患 {id} 的哈希链在第 {seq + 1} 步断开")
    if heads.hexdigest() != manifest["chain_heads"]["sha256"]:
        proof.add("hazards.jsonl：各隐患链尾与清单不符")


def _fits(line: dict[str, Any], seq: int, previous: bytes, proof: Proof) -> bool:
    try:
        event, digest = export.event_of(line), bytes.fromhex(line["hash"])
        if event.seq != seq:
            return False
        if line["masked"] and event.schema < 2:
            # Its words were under the hash themselves, and are not here: only the hash that was written is carried on.
            proof.unproven += 1
            return True
        if not line["masked"] and event.digest() != line["digest"]:
            return False
        return link(previous, event, line["digest"]) == digest
    except (KeyError, ValueError, TypeError):
        return False
