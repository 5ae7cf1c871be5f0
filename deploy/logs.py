"""Logs: one line an event, time in UTC, no personal data (ids and counts only)."""

import logging
import sys
import time

# These tell of every connection; their warnings still come through.
_CHATTY = ("aiokafka", "kafka", "faust", "mode", "httpx", "yoyo", "psycopg.pool")


def configure(level: str = "INFO") -> None:
    """Set up logging for a process that serves."""
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Each attempt at an absent broker, several a second: the relay says the same once a pause, in a sentence.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    for name in ("aiokafka.consumer", "aiokafka.producer"):
        logging.getLogger(name).setLevel(logging.ERROR)
