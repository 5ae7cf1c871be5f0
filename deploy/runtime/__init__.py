"""The local runtime: a real Kafka broker and a real PostgreSQL server under one supervisor, and nothing to install by hand.

local.py composes the rest; `campus-risk up` and the tests both go through it.
"""
