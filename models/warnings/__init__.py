"""Early warning (预警预判): pure detectors from counts and records to findings, and the course of a warning (docs/warnings.md)."""
