"""A real PKCS#11 token for a test: SoftHSM, which tests/debian.sh installs."""

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, SO_PIN = "1234-only-for-tests", "5678-only-for-tests"
_MISSING = "SoftHSM is not installed: run tests/debian.sh (apt-get install softhsm2) as root"


class SoftHsm:
    """Tokens in a folder. One for the process, as the library's configuration is."""

    def __init__(self, folder: Path) -> None:
        assert MODULE.is_file(), _MISSING
        self.module = MODULE
        self._tokens, self._away = folder / "tokens", folder / "away"
        self._tokens.mkdir()
        self._away.mkdir()
        self._folders: dict[str, str] = {}
        self.conf = folder / "softhsm2.conf"
        self.conf.write_text(f"directories.tokendir = {self._tokens}\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(self.conf)

    def new(self, label: str) -> None:
        """Make an empty token."""
        tool = shutil.which("softhsm2-util")
        assert tool, _MISSING
        known = set(os.listdir(self._tokens)) | set(os.listdir(self._away))
        words = ("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN)
        subprocess.run([tool, *words], check=True, capture_output=True)
        (made,) = set(os.listdir(self._tokens)) - known
        self._folders[label] = made

    def take_away(self, label: str) -> None:
        """Remove a token from the machine."""
        (self._tokens / self._folders[label]).rename(self._away / self._folders[label])

    def put_back(self, label: str) -> None:
        """Put it in again."""
        (self._away / self._folders[label]).rename(self._tokens / self._folders[label])


@cache
def soft_hsm() -> SoftHsm:
    return SoftHsm(Path(tempfile.mkdtemp(prefix="softhsm-")))
