"""CSV as it comes: any of three delimiters, quotes that were never closed, rows numbered as Excel shows them."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from deploy.readers.aliases import is_header
from deploy.readers.files import CannotRead, encoding_of

# A cell with more line breaks than this is a quote that nobody closed: without a limit it would swallow the file.
MAX_LINES = 200
# The longest text the door takes is 10,000 characters; an order of magnitude above it, a cell is an accident.
MAX_CELL = 131_072

_DELIMITERS = ",;\t"
# A title, a note on how to fill in, a merged line or two stand above the header; twenty rows hold all of them.
HEADER_WITHIN = 20

Cells = list[object]
UNCLOSED = "引号没有成对"


def rows(path: Path) -> Iterator[tuple[int, Cells, str | None]]:
    """Row number from 1, its cells, and what is wrong with the row as a whole (else None). Holds one row at a time."""
    encoding = encoding_of(path)
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            yield from _rows(file, _delimiter(file))
    except UnicodeError:
        raise CannotRead(f"{path.name} 的编码有误；请另存为“CSV UTF-8（逗号分隔）”。") from None


def _delimiter(file: TextIO) -> str:
    """The delimiter that makes one of the first lines a header; else the one they use most."""
    head = list(islice(file, HEADER_WITHIN))
    file.seek(0)
    for mark in _DELIMITERS:
        if any(is_header(line.strip().replace('"', "").split(mark)) for line in head):
            return mark
    return max(_DELIMITERS, key="".join(head).count)


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, Cells, str | None]]:
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter)
    number = 0
    while True:
        feed.taken.clear()
        number += 1
        try:
            cells: Cells = list(next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            yield number, [], _said(error)
            reader = csv.reader(feed, delimiter=delimiter)
            continue
        if len(feed.taken) > 1 and sum(line.count('"') for line in feed.taken) % 2:
            first = feed.give_back()
            yield number, [first.rstrip("\r\n")], UNCLOSED
            reader = csv.reader(feed, delimiter=delimiter)
            continue
        yield number, cells, "含有无法辨认的字符" if any("\ufffd" in str(cell) for cell in cells) else None


def _said(error: csv.Error) -> str:
    return f"单元格超过 {MAX_CELL} 个字符" if "limit" in str(error) else "格式有误"


class _Feed:
    """Lines for the CSV reader; what one row took can be given back but for its first line."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._back: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MAX_LINES:
            raise StopIteration
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        return line

    def give_back(self) -> str:
        """Puts all lines but the first back in front; returns the first."""
        first, *rest = self.taken
        self._back.extendleft(reversed(rest))
        return first
