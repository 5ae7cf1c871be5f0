"""The pump keeps its rate, catches up a little, and never floods."""

import asyncio
import time
from datetime import datetime
from typing import Any

import pytest

from deploy.simulate import pump
from deploy.simulate.flow import BATCH


def draw(now: datetime) -> tuple[dict[str, Any], str]:
    return {"at": now.isoformat()}, "meant"


async def run(rate: float, seconds: float, slow: float = 0.0, **more: Any) -> tuple[int, list[int], float]:
    """How many were sent, batch sizes, and how long it took."""
    stop, sizes = asyncio.Event(), list[int]()

    async def send(batch: list[dict[str, Any]]) -> None:
        sizes.append(len(batch))
        await asyncio.sleep(slow)

    asyncio.get_running_loop().call_later(seconds, stop.set)
    begun = time.perf_counter()
    sent = await pump(draw, more.pop("rhythm", None), send, rate, stop, **more)
    return sent, sizes, time.perf_counter() - begun


@pytest.mark.parametrize("rate", [40.0, 2000.0])
async def test_it_keeps_the_rate(rate: float) -> None:
    sent, sizes, took = await run(rate, 1.0)
    assert sent == sum(sizes)
    assert 0.8 * rate * took <= sent <= rate * took + 1


async def test_a_rhythm_multiplies_the_rate() -> None:
    sent, _, took = await run(2000.0, 1.0, rhythm=lambda now: 0.25)
    assert 0.7 * 500 * took <= sent <= 1.3 * 500 * took


async def test_a_receiver_that_stood_still_is_not_flooded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.simulate.flow.OWED_SECONDS", 0.2)
    sent, sizes, took = await run(400.0, 0.7, slow=0.6)
    assert max(sizes) <= 400 * 0.2
    assert sent < 0.5 * 400 * took


async def test_a_very_high_rate_goes_in_bounded_batches_and_still_stops() -> None:
    _, sizes, took = await run(1e6, 0.5, slow=0.01)
    assert max(sizes) == BATCH
    assert took < 2


async def test_truth_comes_apart_and_matches_the_batches() -> None:
    told: list[str] = []
    sent, _, _ = await run(200.0, 0.4, truth=told.extend)
    assert told == ["meant"] * sent


async def test_a_stop_ends_a_slow_pump_at_once() -> None:
    sent, _, took = await run(0.001, 0.1)
    assert sent == 0
    assert took < 1


async def test_a_failing_receiver_ends_the_pump() -> None:
    async def send(batch: list[dict[str, Any]]) -> None:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        await pump(draw, None, send, 1000.0, asyncio.Event())


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
async def test_a_rate_that_sends_nothing_is_refused(rate: float) -> None:
    async def send(batch: list[dict[str, Any]]) -> None:
        return

    with pytest.raises(ValueError, match="choose reports per second"):
        await pump(draw, None, send, rate, asyncio.Event())
