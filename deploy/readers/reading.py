"""Reading a file: rows in, records or errors out, one at a time, and never an end because one row is broken."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.readers import delimited, workbook
from deploy.readers.aliases import columns_of, field_of, is_header
from deploy.readers.delimited import HEADER_WITHIN, Cells
from deploy.readers.files import CannotRead, Kind, encoding_of, kind_of
from deploy.readers.records import BrokenRow, Records

_log = logging.getLogger(__name__)
_REPORTER = {"name": "reporter", "mobile": "mobile"}
_CURE_ROW = "在 Excel 里检查这一行，改好后只重新导入这份文件即可，已导入的行不会重复"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file. ``number`` as Excel or an editor shows it; either ``record`` or ``error`` is None.

    ``raw`` holds the row's own cells by their own headers, unknown columns included.
    """

    number: int
    record: dict[str, Any] | None
    error: str | None
    raw: Mapping[str, object]


def read(
    path: Path, units: Mapping[str, str] | None = None, note: Callable[[str], object] | None = None
) -> Iterator[Row]:
    """The rows of a CSV, XLSX or JSON-lines file; empty rows are passed over.

    ``units`` maps unit codes and names to codes; with it, unknown units are errors and names become codes.
    ``note`` is told, once each, what concerns the file as a whole: unknown columns, sheets left out, assumptions made
    (without it they are logged as warnings). Raises ``CannotRead``, at the first row, where the file cannot be read.
    """
    kind = kind_of(path)
    records = Records(note or _log.warning, units)
    if kind is Kind.JSONL:
        yield from _json_lines(path, records)
        return
    rows = delimited.rows(path) if kind is Kind.CSV else workbook.rows(path, records.note)
    yield from _table(path, rows, records)


def _table(path: Path, rows: Iterator[tuple[int, Cells, str | None]], records: Records) -> Iterator[Row]:
    headers = _header(path, rows)
    columns = columns_of(headers)
    named = {field: str(headers[number]).strip() for number, field in columns.items()}
    unknown = [str(name).strip() for number, name in enumerate(headers) if name and number not in columns]
    if unknown:
        records.note(f"没有用到的列：{'、'.join(unknown)}；如需导入，请改成模板里的列名。")
    names = [str(name).strip() if name else f"第{number}列" for number, name in enumerate(headers, 1)]
    any_row = False
    for number, cells, broken in rows:
        if not broken and all(cell is None or not str(cell).strip() for cell in cells):
            continue
        any_row = True
        raw = dict(zip(names, cells, strict=False))
        if broken:
            yield Row(number, None, f"第 {number} 行：{broken}；{_CURE_ROW}。", raw)
            continue
        given = {columns[column]: cell for column, cell in enumerate(cells) if column in columns}
        yield _row(number, given, named, raw, records)
    if not any_row:
        raise CannotRead(f"{path.name} 只有表头，没有数据；请填写后再导入。")


def _header(path: Path, rows: Iterator[tuple[int, Cells, str | None]]) -> Cells:
    seen: Cells = []
    for number, cells, _ in rows:
        if is_header(cells):
            return cells
        seen = seen or [cell for cell in cells if cell not in (None, "")]
        if number >= HEADER_WITHIN:
            break
    if not seen:
        raise CannotRead(f"{path.name} 里没有内容；请确认数据在第一个工作表。")
    raise CannotRead(f"{path.name} 前 {HEADER_WITHIN} 行里找不到表头；表头至少要有“学校编码”和“隐患描述”两列。")


def _json_lines(path: Path, records: Records) -> Iterator[Row]:
    with path.open(encoding=encoding_of(path), errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                raw = json.loads(line)
            except (json.JSONDecodeError, RecursionError):
                raw = None
            if not isinstance(raw, dict):
                cure = '每行写一个 JSON 对象，形如 {"unit": …, "text": …}'
                yield Row(number, None, f"第 {number} 行：不是合法的 JSON 对象；{cure}。", {"line": line.rstrip("\n")})
                continue
            given, named = _flattened(raw, records)
            yield _row(number, given, named, raw, records)


def _flattened(raw: Mapping[str, Any], records: Records) -> tuple[dict[str, object], dict[str, str]]:
    """Nested parts of the contract's record laid out as the columns of a table, and their names."""
    flat: dict[str, object] = {}
    for key, value in raw.items():
        if key == "location" and isinstance(value, dict):
            flat.update(value)
        elif key == "reporter" and isinstance(value, dict):
            flat.update({_REPORTER.get(part, f"reporter.{part}"): told for part, told in value.items()})
        else:
            flat[key] = value
    given: dict[str, object] = {}
    named: dict[str, str] = {}
    for key, value in flat.items():
        field = field_of(key)
        if field is None or field in given:
            records.note(f"没有用到的字段：{key}；如需导入，请改成模板里的字段名。")
        else:
            given[field] = value
            named[field] = key
    return given, named


def _row(
    number: int, given: Mapping[str, object], named: Mapping[str, str], raw: Mapping[str, object], records: Records
) -> Row:
    try:
        return Row(number, records.make(given, named), None, raw)
    except BrokenRow as error:
        return Row(number, None, f"第 {number} 行：{error}。", raw)
