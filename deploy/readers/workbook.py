"""Excel workbooks, read-only and streaming: rows numbered as Excel shows them, from the first sheet with a header."""

import warnings
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from deploy.readers.aliases import is_header
from deploy.readers.delimited import HEADER_WITHIN, Cells
from deploy.readers.files import CannotRead


def rows(path: Path, note: Callable[[str], None]) -> Iterator[tuple[int, Cells, str | None]]:
    """Row number from 1, its cells, None. ``note`` is told which sheets were left out.

    Raises ``CannotRead`` where the file is no workbook.
    """
    book = _open(path)
    try:
        sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "reset_dimensions")]
        for sheet in sheets:
            sheet.reset_dimensions()  # some exporters write a dimension of one cell, and the rest would be lost
        chosen = next((sheet for sheet in sheets if _has_header(sheet)), sheets[0] if sheets else None)
        if chosen is None:
            raise CannotRead(f"{path.name} 里没有工作表；请把数据放在第一个工作表。")
        others = [sheet.title for sheet in sheets if sheet is not chosen and _has_header(sheet)]
        if others:
            note(f"只读取了工作表“{chosen.title}”；{'、'.join(others)} 也有表头，请分别另存后导入。")
        for number, values in enumerate(chosen.iter_rows(values_only=True), 1):
            yield number, list(values), None
    except (KeyError, ValueError, zipfile.BadZipFile, SyntaxError) as error:  # SyntaxError: XML that is broken
        if isinstance(error, CannotRead):
            raise
        raise CannotRead(f"{path.name} 已损坏，读到一半中断；请在 Excel 里打开并另存为 .xlsx 后重试。") from error
    finally:
        book.close()


def _open(path: Path) -> Any:
    # Half a second to import: only who opens a workbook pays for it.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that openpyxl does not know do not concern the data
            return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, SyntaxError, OSError):
        raise CannotRead(f"{path.name} 不是可读的 Excel 工作簿；请在 Excel 里另存为 .xlsx。") from None


def _has_header(sheet: Any) -> bool:
    return any(is_header(values) for values in islice(sheet.iter_rows(values_only=True), HEADER_WITHIN))
