"""``campus-risk``: the command line. One module a topic under ``deploy/commands``."""

import sys
from typing import NoReturn

import kafka.errors
import psycopg
import typer
from pydantic import ValidationError
from rich.console import Console

from deploy.cities import CityError
from deploy.commands import access, check, data, duty, grafana, judge, keep, notices, proof, run, warnings
from deploy.readers import CannotRead
from deploy.runtime.checks import CannotStart
from store.exported import Unreadable
from store.settings import Unusable, wrong

app = typer.Typer(
    name="campus-risk",
    help="一环四员 · 校园风险智控：从走廊里的一条上报，到全市的一块大屏。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (run, check, data, judge, access, duty, notices, keep, proof, warnings, grafana):
    module.register(app)


def main() -> NoReturn:
    """Run; what a person can cure is said in one sentence, without a traceback."""
    try:
        app()
    except (CannotStart, CannotRead, CityError, Unreadable) as error:
        _fail(str(error))
    except psycopg.OperationalError as error:
        _fail(
            f"The database does not answer ({str(error).strip().splitlines()[0]}): start it with `make run`, or check CAMPUS_RISK_DATABASE."
        )
    except kafka.errors.KafkaError as error:
        _fail(f"Kafka does not answer ({error}): start it with `make run`, or check CAMPUS_RISK_KAFKA.")
    except psycopg.errors.UndefinedTable:
        _fail("The database has no tables of ours yet: run `campus-risk migrate`.")
    except (ValidationError, Unusable) as error:
        told = wrong()
        _fail(check.listed(told) if told else str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _fail(sentence: str) -> NoReturn:
    Console(stderr=True).print(sentence, style="red", highlight=False, markup=False, soft_wrap=True)
    sys.exit(1)
