"""Where the invented formats are, and the day they hold on."""

from datetime import date
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"
DAY = date(2026, 5, 14)
