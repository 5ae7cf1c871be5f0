"""What a file is: found out by its first bytes, not by its name, and an encoding that its lines agree with."""

import codecs
from enum import StrEnum
from pathlib import Path

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# A cell may hold a page of text; a line longer than this is read in pieces, which only the guess below sees.
_LINE = 1 << 20


class CannotRead(ValueError):
    """The file as a whole cannot be read. One Chinese sentence: what is wrong, and the cure."""


class Kind(StrEnum):
    """Formats that are read."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


def kind_of(path: Path) -> Kind:
    """The format of a file. Raises ``CannotRead`` where there is none to read."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except FileNotFoundError:
        raise CannotRead(f"找不到文件 {path.name}；请检查路径和文件名。") from None
    except IsADirectoryError:
        raise CannotRead(f"{path.name} 是文件夹；请指定其中的一个文件。") from None
    except PermissionError:
        raise CannotRead(f"没有权限读取 {path.name}；请调整文件权限，或换一个位置。") from None
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise CannotRead(f"{path.name} 是空文件；请确认导出成功后再试。")
    if head.startswith(_ZIP):
        return Kind.XLSX
    if head.startswith(_OLE):
        raise CannotRead(f"{path.name} 是旧版 .xls 或加密的工作簿；请在 Excel 里去掉密码并另存为 .xlsx。")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Kind.CSV
    if b"\x00" in head:
        raise CannotRead(f"{path.name} 不是表格；请提供 CSV、XLSX 或每行一条的 JSON 文件。")
    first = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if first == b"[":
        raise CannotRead(f"{path.name} 是 JSON 数组；请改成每行一个 JSON 对象。")
    return Kind.JSONL if first == b"{" else Kind.CSV


def encoding_of(path: Path) -> str:
    """``utf-8-sig``, ``utf-16`` or ``gb18030``, by what most lines are: one broken byte decides nothing.

    Raises ``CannotRead`` where most lines that are not plain ASCII are in neither.
    """
    good = {"utf-8": 0, "gb18030": 0}
    lines = 0
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        file.seek(0)
        while line := file.readline(_LINE):
            if line.isascii():
                continue
            lines += 1
            for encoding in good:
                good[encoding] += _decodes(line, encoding)
    if lines and max(good.values()) * 2 < lines:
        raise CannotRead(f"{path.name} 的编码既不是 UTF-8 也不是 GB18030；请另存为“CSV UTF-8（逗号分隔）”。")
    # Chinese in UTF-8 is often GB18030 by accident, hardly ever the other way round: so UTF-8 needs half, not most.
    return "utf-8-sig" if good["utf-8"] * 2 >= lines else "gb18030"


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
