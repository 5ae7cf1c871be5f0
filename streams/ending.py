"""The end of a worker that cannot go on: at once, loudly, so that the supervisor begins a fresh one."""

import logging
import os
from typing import NoReturn

log = logging.getLogger(__name__)


def end(reason: str) -> NoReturn:
    """End this process. Nothing is lost: what was not acknowledged is read again from the last commit."""
    log.critical("%s: the worker ends, to begin again from the last commit", reason)
    logging.shutdown()
    os._exit(1)
