"""Bilateral customs gateway between Viet Nam and China."""
