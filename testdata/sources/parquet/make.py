# Writes the files of this folder: python make.py, with pyarrow 24 or newer.
import datetime as d, decimal, os
import pyarrow as pa
import pyarrow.parquet as pq

start = d.datetime(2026, 1, 1, tzinfo=d.timezone.utc)
times = [start + d.timedelta(minutes=5 * i) for i in range(3)]
plain = [t.replace(tzinfo=None) for t in times]

def write(name, time, value, names=("timestamp", "value"), **options):
    pq.write_table(pa.table(dict(zip(names, (time, value)))), name + ".parquet", **options)

def at(unit, zone="UTC"):
    return pa.array(times if zone else plain, pa.timestamp(unit, zone))

floats = pa.array([1.0, None, 3.5], pa.float64())
for unit in ("ms", "us", "ns"):
    write(unit, at(unit), floats)
write("int96", at("ns", None), floats, use_deprecated_int96_timestamps=True)
write("zoned", at("us", "Europe/Berlin"), floats)
write("float32", at("us"), floats.cast(pa.float32()))
write("decimal", at("us"), pa.array([decimal.Decimal("1.0"), None, decimal.Decimal("3.5")], pa.decimal128(9, 1)), store_decimal_as_integer=True)
for codec in ("zstd", "gzip", "lz4"):
    write(codec, at("us"), floats, compression=codec)
for width in ("int32", "int64"):
    write(width, at("us"), pa.array([1, None, 3], width))
write("named", at("us"), floats, ("at", "requests"))
write("text", at("us"), pa.array(["1", "2", "3"]))
write("list", at("us"), pa.array([[1.0], [], [3.5]]))
write("negative", at("us"), pa.array([-1.0, 1.0, 1.0]))
write("untimed", pa.array([times[0], None, times[2]], pa.timestamp("us", "UTC")), floats)
os.makedirs("folder", exist_ok=True)
for part in range(2):
    when = pa.array([start + d.timedelta(minutes=5 * (3 * part + i)) for i in range(3)], pa.timestamp("us", "UTC"))
    write(f"folder/part-{part}", when, pa.array([float(3 * part + i) for i in range(3)]), row_group_size=2)
