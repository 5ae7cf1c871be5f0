"""A cell as text, and how a cell that does not fit is refused."""


class Unfit(ValueError):
    """A cell that cannot be what its column says."""


def text(cell: object) -> str:
    """Any cell as trimmed text; 330203.0, as Excel keeps a number, is 330203."""
    if isinstance(cell, dict | list):
        raise Unfit("里面是一组值；这里只写一段文字或一个数")
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()
