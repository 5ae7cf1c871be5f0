"""The worker process: the Faust agents. It leaves the loop to Faust, and the state to the database."""

import asyncio
import logging

import faust

from models.classifier.predict import Classifier
from store.settings import Settings, Unusable
from streams import app as apps
from streams import topics
from streams.context import opened

log = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """Run the agents until cancelled."""
    try:
        classifier = await asyncio.to_thread(Classifier.load, settings.models_dir)
    except FileNotFoundError:
        raise Unusable(f"There is no classifier in {settings.models_dir}: make one with `campus-risk train`.") from None
    await topics.wait(settings)
    async with opened(settings) as context:
        app = apps.create(settings, context, classifier)
        app.finalize()
        await _serve(app)


async def _serve(app: faust.App) -> None:
    """Start the app, and end with it: an app that crashed ends the process, so that the supervisor starts a fresh one."""
    async with app:
        log.info("worker runs: %s", ", ".join(sorted(app.agents)))
        await app.wait_until_stopped()
    if app.crash_reason:
        raise app.crash_reason
