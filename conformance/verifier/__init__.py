"""Verify an evidence bundle by its published format (docs/evidence.md) and nothing else.

python -m conformance.verifier FILE --anchors DIR
"""
