"""Cities: one folder each, with ``city.toml``, a table of units and an outline. See docs/another-city.md."""

from deploy.cities.city import City, Duty, Term, Tier, load_city
from deploy.cities.problems import CityError

__all__ = ["City", "CityError", "Duty", "Term", "Tier", "load_city"]
