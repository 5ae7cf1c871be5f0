"""An endless, deterministic stream of realistic reports: for the demo city, for load, and for judging the judge."""

from deploy.simulate.flow import pump
from deploy.simulate.rhythm import intensity
from deploy.simulate.simulator import Simulator, Truth

__all__ = ["Simulator", "Truth", "intensity", "pump"]
