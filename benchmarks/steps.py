"""`python -m benchmarks.steps`: where the time of the whole path goes, step by step.

The steps run one after the other, as they do on the path: a step alone in a loop is quicker,
because its code and its tables stay in the processor's caches. Median and lowest microseconds.
"""

import statistics
import time
from collections.abc import Iterator

from benchmarks.__main__ import SMALL, Bench
from benchmarks.documents import HEAD, NOW, message, turned
from benchmarks.stacks import PROFILE
from gateway.codec import envelope
from gateway.safexml import parse
from gateway.signing.sign import sign_document
from gateway.signing.verify import verify_document

RUNS = 2000


def steps(bench: Bench, raw: bytes) -> Iterator[str]:
    """Go along the path; yield the name of a step when it is done."""
    formats, keys = bench.formats, bench.keys
    root = parse(raw)
    yield "hardened parse"
    verified = verify_document(root, keys.policy, NOW)
    yield "verify"
    _, body = envelope.read_message(verified.element)
    octets = envelope.body_octets(verified.content)
    yield "read the envelope"
    decoded = formats.decode_tree("cn.mt2401", body, octets)
    yield "schema in, decode, rules"
    document = turned(decoded.document)
    content = formats.encode("cn.mt1401", document, HEAD).content
    yield "transforms, rules, encode"
    formats.check_output("cn.mt1401", content)
    yield "schema out"
    unsigned = message(content, "cn.mt1401")
    yield "write the envelope"
    sign_document(unsigned, keys.signer, PROFILE)
    yield "sign"


def main() -> None:
    """Print the steps."""
    bench = Bench()
    raw = bench.signed(SMALL)
    took: dict[str, list[int]] = {}
    for _ in range(RUNS):
        began = time.perf_counter_ns()
        for name in steps(bench, raw):
            took.setdefault(name, []).append(time.perf_counter_ns() - began)
            began = time.perf_counter_ns()
    for name, times in took.items():
        print(f"{name:<28} {statistics.median(times) / 1000:>7.0f} {min(times) / 1000:>7.0f}")


if __name__ == "__main__":
    main()
