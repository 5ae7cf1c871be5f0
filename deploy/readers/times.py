"""Times as people and Excel write them."""

import re
from datetime import date, datetime, time, timedelta

from deploy.readers.cells import Unfit, text
from models.calendar import SHANGHAI

# Day 0 of Excel's calendar as it counts after its invented 29 February 1900.
_EXCEL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel's times know no zone; ours is added below
_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[\sT]*(\d{1,2})\s*[:：时点]\s*(\d{1,2})?\s*[:：分]?\s*(\d{1,2})?\s*秒?)?"
)
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?")


def instant(cell: object) -> str:
    """A time as ISO 8601 with zone; without one it is Asia/Shanghai. Dates, Excel numbers and Chinese are known."""
    found = _instant(cell)
    if found is None or not 2000 <= found.year < 2100:
        raise Unfit(f"“{text(cell)}”不是可识别的时间；写成 2026-05-01 08:00")
    return (found if found.tzinfo else found.replace(tzinfo=SHANGHAI)).isoformat(timespec="seconds")


def _instant(cell: object) -> datetime | None:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        # 30000 is 1982, 80000 is 2119: an Excel date. Anything else may be one written without separators.
        if 30_000 < cell < 80_000:
            return _EXCEL_ZERO + timedelta(seconds=round(cell * 86_400))
        cell = text(cell)
    given = str(cell).strip()
    parts = _DATE.fullmatch(given) or _PACKED.fullmatch(given)
    try:
        if parts:
            return datetime(*(int(part or 0) for part in parts.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
        return datetime.fromisoformat(given)
    except ValueError:
        return None
