"""Settings: one TOML file, overridden by the environment, checked as a whole.

`load` returns frozen `Settings`, or raises `SettingsError` with every problem at once.
"""

from gateway.settings.load import Loaded, Problem, SettingsError, load
from gateway.settings.sections import Settings

__all__ = ["Loaded", "Problem", "Settings", "SettingsError", "load"]
