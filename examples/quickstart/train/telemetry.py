"""Write the quickstart's request-rate series. It is SYNTHETIC, not measured.

Hourly requests/s over 21 days up to 2026-11-21T00:00:00Z: a daily cycle with
its peak in the early afternoon, quieter weekends, multiplicative noise, and a
few missing rows, as a scrape that failed would leave. The seed is fixed, so
the same file comes out every time; it needs nothing beyond Python.
"""

import argparse
import csv
import math
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

SEED = 20
END = datetime(2026, 11, 21, tzinfo=timezone.utc)
HOURS = 21 * 24
MISSING_HOURS = {97, 98, 251, 400}  # counted from the start
TROUGH, PEAK = 16.0, 84.0  # requests/s of a weekday, before noise
PEAK_HOUR = 14
WEEKEND_SHARE = 0.62  # of a weekday's rise above the trough
NOISE = 0.04  # relative standard deviation


def expected(at: datetime) -> float:
    """Requests/s at an hour, before noise: a raised cosine, narrowed to a working day."""
    phase = math.cos(2 * math.pi * (at.hour - PEAK_HOUR) / 24)
    rise = ((1 + phase) / 2) ** 1.5
    share = WEEKEND_SHARE if at.weekday() >= 5 else 1.0
    return TROUGH + (PEAK - TROUGH) * rise * share


def rows() -> list[tuple[str, str]]:
    """Timestamp and requests/s of each hour that is not missing, in order."""
    noise = random.Random(SEED)
    start = END - timedelta(hours=HOURS - 1)
    series = []
    for hour in range(HOURS):
        at = start + timedelta(hours=hour)
        value = expected(at) * (1 + noise.gauss(0, NOISE))
        if hour not in MISSING_HOURS:
            series.append((at.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{value:.2f}"))
    return series


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "telemetry.csv")
    with parser.parse_args().out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("timestamp", "value"))
        writer.writerows(rows())


if __name__ == "__main__":
    main()
