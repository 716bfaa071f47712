#!/usr/bin/env python3
"""Writes a folder of hourly series of 28 days, made from recorded ones: for the memory of many.

  many_series.py FROM TO COUNT

FROM holds hourly files `NAME_1h.csv` with the columns timestamp,value. Each series made is one of them
from another place on, goes round at its end, and is multiplied by a level and a noise of 5 %, all by a
generator of a fixed seed: the same arguments give the same bytes.
"""

import csv
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path

HOURS = 28 * 24


def recorded(folder):
    for path in sorted(Path(folder).glob("*_1h.csv")):
        with path.open() as file:
            values = [float(row["value"]) for row in csv.DictReader(file) if row["value"]]
        if len(values) >= HOURS:
            yield values


def main(source, target, count):
    dice = random.Random(7)
    patterns = list(recorded(source))
    if not patterns:
        sys.exit(f"{source} holds no hourly series of {HOURS} values")
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    start = datetime(2026, 1, 5)
    for number in range(int(count)):
        pattern = patterns[number % len(patterns)]
        first, level = dice.randrange(len(pattern)), 10 ** dice.uniform(-1, 1)
        with (folder / f"made_{number:04}_1h.csv").open("w") as file:
            file.write("timestamp,value\n")
            for hour in range(HOURS):
                value = pattern[(first + hour) % len(pattern)] * level * dice.lognormvariate(0, 0.05)
                at = start + timedelta(hours=hour)
                file.write(f"{at:%Y-%m-%dT%H:%M:%SZ},{value:.6g}\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
