"""The only composition root: chooses clock, ids, randomness, store, link, keys and tables,
and puts them together. Everything below takes them as arguments."""

from gateway.bootstrap.gateway import Gateway
from gateway.bootstrap.outside import clock, new_id, randomness
from gateway.bootstrap.parts import services_of
from gateway.bootstrap.serve import run_worker, serve

__all__ = [
    "Gateway",
    "clock",
    "new_id",
    "randomness",
    "run_worker",
    "serve",
    "services_of",
]
