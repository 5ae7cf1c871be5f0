"""One row to one record: cells read, columns joined, and an id that is the same when the file is read again."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from deploy.readers.cells import Unfit, text
from deploy.readers.fields import READERS

SOURCE = "file"
# Five digits and fewer count the rows of one sheet; the next month's file begins at 1 again and would be taken for
# the same reports. Longer numbers are issued by some system once.
_SERIAL = re.compile(r"\d{1,5}")


class BrokenRow(ValueError):
    """A row that makes no record: what is wrong where, and the cure."""


class Records:
    """Makes records of one file's rows. ``units`` maps codes and names of units to codes; without it all are taken.

    Counts equal rows, so that each gets an id of its own: one number a row is kept, some 10 MB for 100,000 rows.
    """

    def __init__(self, note: Callable[[str], object], units: Mapping[str, str] | None) -> None:
        self._note = note
        self._noted: set[str] = set()
        self._units = units
        self._times: dict[int, int] = {}

    def note(self, sentence: str) -> None:
        """Says something about the file, once."""
        if sentence not in self._noted:
            self._noted.add(sentence)
            self._note(sentence)

    def make(self, cells: Mapping[str, object], named: Mapping[str, str]) -> dict[str, Any]:
        """The record of a row: ``cells`` by field, ``named`` the column's own header by field.

        Raises ``BrokenRow`` that names every column that is wrong.
        """
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for field, cell in cells.items():
            if cell is None or (isinstance(cell, str) and not cell.strip()) or field == "_number":
                continue
            try:
                values[field] = READERS.get(field, text)(cell)
            except Unfit as error:
                wrong.append(f"“{named.get(field, field)}”列：{error}")
        self._unit(values, named, wrong)
        if not values.get("text") and "text" in named:
            wrong.append(f"“{named['text']}”列：没有内容；写明看到了什么")
        elif not values.get("text"):
            wrong.append("缺少 text；写明看到了什么")
        location = self._location(values, wrong)
        if wrong:
            raise BrokenRow("；".join(wrong))
        return self._joined(values, location)

    def _unit(self, values: dict[str, Any], named: Mapping[str, str], wrong: list[str]) -> None:
        name = values.pop("unit_name", None)
        given = values.get("unit") or name
        column = named.get("unit" if values.get("unit") else "unit_name") or named.get("unit", "unit")
        if not given:
            wrong.append(f"“{column}”列：没有单位；填单位编码")
            return
        if self._units is not None and given not in self._units:
            wrong.append(f"“{column}”列：本市没有单位“{given}”；填单位表里的编码或全称")
        values["unit"] = given if self._units is None else self._units.get(given, given)

    def _location(self, values: dict[str, Any], wrong: list[str]) -> dict[str, Any] | None:
        lon, lat, crs = (values.pop(key, None) for key in ("lon", "lat", "crs"))
        if lon is None and lat is None:
            return None
        if lon is None or lat is None:
            wrong.append("经度和纬度只填了一个；两个都填，或都留空")
            return None
        if crs is None:
            self.note("坐标没有写明坐标系，按 WGS-84 处理；如来自手机地图，请加一列“坐标系”填 GCJ-02。")
        return {"lon": lon, "lat": lat, "crs": crs or "WGS-84"}

    def _joined(self, values: dict[str, Any], location: dict[str, Any] | None) -> dict[str, Any]:
        reporter = {"name": values.pop("reporter", None), "mobile": values.pop("mobile", None)}
        if values.get("category") == "":
            del values["category"]
            self.note("有的行类别只填到大类；细类由系统研判。")
        record: dict[str, Any] = {"schema": 1, "source": SOURCE, **values}
        if "schema" in values:
            record["schema"] = int(values["schema"]) if str(values["schema"]).isdigit() else values["schema"]
        if location:
            record["location"] = location
        if any(reporter.values()):
            record["reporter"] = {key: value for key, value in reporter.items() if value}
        given = record.get("source_id")
        if given is not None and _SERIAL.fullmatch(given):
            self.note("编号像是序号（不超过五位的数字），没有用作记录编号；记录编号由内容生成。")
            given = None
        record["source_id"] = given or self._own_id(record)
        return record

    def _own_id(self, record: Mapping[str, Any]) -> str:
        parts = (record["unit"], record["text"], record.get("place", ""), record.get("occurred_at", ""))
        plain = "\x1f".join(" ".join(unicodedata.normalize("NFKC", part).split()) for part in parts)
        key = int.from_bytes(hashlib.sha256(plain.encode()).digest()[:8])
        occurrence = self._times.get(key, 0) + 1
        self._times[key] = occurrence
        return hashlib.sha256(f"{plain}\x1f{occurrence}".encode()).hexdigest()
