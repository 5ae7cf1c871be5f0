"""Settings from files: ``CAMPUS_RISK_<NAME>_FILE`` names a file that holds the value of ``CAMPUS_RISK_<NAME>``.

A secret in the environment is read by whoever may look at a container or at ``/proc``; a file has an owner and a mode.
"""

import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SUFFIX = "_FILE"


@dataclass(frozen=True, slots=True)
class Found:
    """``values`` by the setting's name, ``wrong`` in sentences without any value, ``open`` files that everybody may read."""

    values: dict[str, str]
    wrong: list[str]
    open: list[str]


def read(names: Iterable[str], environ: Mapping[str, str], prefix: str) -> Found:
    """Read every file that the environment names for one of these settings."""
    found = Found({}, [], [])
    for name in names:
        variable = prefix + name.upper()
        path = environ.get(variable + SUFFIX)
        if path is None:
            continue
        if variable in environ:
            found.wrong.append(f"{variable} and {variable}{SUFFIX} are both set: keep one of them")
            continue
        try:
            # An editor and `echo` end a file with a newline that is no part of the secret.
            text = Path(path).read_text("utf-8").rstrip("\r\n")
            mode = Path(path).stat().st_mode
        except OSError as error:
            found.wrong.append(f"{variable}{SUFFIX}: {path} cannot be read ({error.strerror})")
            continue
        except UnicodeDecodeError:
            found.wrong.append(f"{variable}{SUFFIX}: {path} is no UTF-8 text")
            continue
        if not text:
            found.wrong.append(f"{variable}{SUFFIX}: {path} is empty")
            continue
        if mode & stat.S_IROTH:
            found.open.append(f"{variable}{SUFFIX}: everybody may read {path}; chmod o-r {path}")
        found.values[name] = text
    return found
