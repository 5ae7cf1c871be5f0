"""Files of reports - CSV, Excel, JSON lines - read row by row into records of the contract."""

from deploy.readers.files import CannotRead
from deploy.readers.reading import Row, read

__all__ = ["CannotRead", "Row", "read"]
