"""Shapes are learned before there are threads: without that, eight threads that read one type
first at the same time crash the interpreter in most tries."""

import subprocess
import sys

import msgspec
import pytest

from gateway.bootstrap import gateway, shapes
from gateway.model.parameters import Parameters

RACE = """
import sys, threading
import msgspec
from gateway.bootstrap import gateway, shapes
from gateway.model.parameters import Parameters
shapes.learn()
sys.setswitchinterval(1e-6)
start = threading.Barrier(8)
said = b'{"joinRef":"a","vehicle":{"filing":"1"},"waybills":[{"declaration":"1","id":"x"}]}'
def read():
    start.wait()
    msgspec.json.decode(said, type=Parameters)
threads = [threading.Thread(target=read) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
"""


@pytest.mark.parametrize("number", range(3))
def test_threads_that_read_a_shape_first_do_not_crash(number: int):
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def test_every_struct_that_a_gateway_imports_is_learned():
    assert gateway.Gateway  # what it imports is what can be read
    assert Parameters in list(shapes._below(msgspec.Struct))
    assert shapes.learn() > 50
