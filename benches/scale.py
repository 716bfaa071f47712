#!/usr/bin/env python3
"""Time and peak memory of isobar on large configurations, beside Terraform on the same work.

    benches/scale.py            every shape at 1,000, 10,000 and 100,000 resources
    benches/scale.py -quick     1,000 resources, one run each

Both programs get the same text, `isobar_data` in one and `terraform_data` in the other, and go
through the same steps in the same run: plan, apply, plan of no changes, refresh-only plan,
destroy. Prints a table in Markdown. What did not end within its limit is shown as such.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = {
    "plan": ["plan"],
    "apply": ["apply", "-auto-approve"],
    "no-op plan": ["plan"],
    "refresh-only": ["plan", "-refresh-only"],
    "destroy": ["destroy", "-auto-approve"],
}
LAYERS = 10
PER_MODULE = 10


def resource(name, text, more=""):
    return f'resource "TYPE" "{name}" {{\n  {more}input = {text}\n}}\n'


def wide(count):
    """Resources that have nothing to do with one another."""
    return {"main": (resource(f"r{i}", f'"value-{i}"') for i in range(count))}


def chain(count):
    """Each resource refers to the one before."""

    def texts():
        yield resource("r0", '"value-0"')
        for i in range(1, count):
            yield resource(f"r{i}", f'"value-{i} ${{TYPE.r{i - 1}.id}}"')

    return {"main": texts()}


def layered(count):
    """Ten layers; each resource refers to three of the layer before."""
    width = max(count // LAYERS, 1)

    def texts():
        for i in range(count):
            layer, place = divmod(i, width)
            below = (layer - 1) * width
            names = [f"r{below + (place + step) % width}" for step in (0, 1, 7)]
            references = "".join(f" ${{TYPE.{name}.id}}" for name in names if layer > 0)
            yield resource(f"r{i}", f'"value-{i}{references}"')

    return {"main": texts()}


def for_each(count):
    """One resource with as many instances."""
    more = f'for_each = toset([for i in range({count}) : "key-${{i}}"])\n  '
    # `range` gives at most 1,024 numbers in Terraform, so that more keys are made of two.
    if count > 1024:
        tens = "[for a in range({0}) : [for b in range(1000) : \"key-${{a}}-${{b}}\"]]"
        more = f"for_each = toset(flatten({tens.format(count // 1000)}))\n  "
    return {"main": [resource("r", '"value ${each.key}"', more)]}


def modules(count):
    """Calls of one module of ten resources, one call a block."""

    def calls():
        for i in range(count // PER_MODULE):
            yield f'module "m{i}" {{\n  source = "./part"\n  name   = "m{i}"\n}}\n'

    def part():
        yield 'variable "name" {\n  type = string\n}\n'
        for i in range(PER_MODULE):
            yield resource(f"r{i}", f'"${{var.name}}-{i}"')

    return {"main": calls(), "part/main": part()}


SHAPES = {
    "wide": wide,
    "chain": chain,
    "layered": layered,
    "for_each": for_each,
    "modules": modules,
}


class Tool:
    """A program that plans and applies."""

    def __init__(self, name, command, kind, suffix):
        self.name, self.command, self.kind, self.suffix = name, command, kind, suffix

    def write(self, folder, texts):
        for name, parts in texts.items():
            path = folder / f"{name}{self.suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(part.replace("TYPE", self.kind) for part in parts)


def measure(command, folder, limit):
    """Seconds, seconds of processors and megabytes of one run; None if it did not end in time."""
    null = subprocess.DEVNULL
    start = time.perf_counter()
    with tempfile.TemporaryFile() as complaint:
        process = subprocess.Popen(
            command, cwd=folder, stdin=null, stdout=null, stderr=complaint, start_new_session=True
        )
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, limit)
        _, status, usage = os.wait4(process.pid, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode == -signal.SIGKILL:
            return None
        if process.returncode != 0:
            complaint.seek(0)
            sys.exit(f"{command}: {complaint.read(2000).decode(errors='replace')}")
    elapsed = time.perf_counter() - start
    return elapsed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def cycle(tool, shape, count, limit, runs):
    """The best figures of each step over several cycles; steps behind a failed one are None."""
    best = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as name:
        folder = Path(name)
        tool.write(folder, SHAPES[shape](count))
        if measure([*tool.command, "init"], folder, limit) is None:
            return best
        for _ in range(runs):
            for step, arguments in STEPS.items():
                figures = measure([*tool.command, *arguments], folder, limit)
                if figures is None:
                    return best
                best[step] = tuple(map(min, zip(figures, best.get(step, figures))))
    return best


def shown(figures, limit):
    if figures is None:
        return [f"> {limit}", "–", "–"]
    elapsed, busy, memory = figures
    return [f"{elapsed:.3f}", f"{busy:.3f}", f"{memory:.0f}"]


def row(shape, count, step, ours, theirs, limit):
    cells = [shape, f"{count:,}", step, *shown(ours, limit)]
    if theirs == "skipped":
        return [*cells, *["–"] * 5]
    cells += shown(theirs, limit)
    if ours and theirs:
        return [*cells, f"{theirs[0] / ours[0]:.0f}", f"{theirs[2] / ours[2]:.1f}"]
    return [*cells, "–", "–"]


def table(options, tools):
    figures = ["s", "CPU s", "MB"]
    theirs = [f"Terraform {figure}" for figure in figures]
    yield ["shape", "resources", "step", *figures, *theirs, "× faster", "× smaller"]
    yield ["---", "---:", "---", *["---:"] * 8]
    for shape in options.shapes:
        beaten = False
        for count in options.counts:
            ours = cycle(tools[0], shape, count, options.limit, options.runs)
            theirs = {}
            # What did not end at a smaller count will not end at a larger one.
            if len(tools) > 1 and not beaten:
                theirs = cycle(tools[1], shape, count, options.limit, 1)
            for step in STEPS:
                absent = "skipped" if len(tools) == 1 or beaten else None
                found = theirs.get(step, absent)
                yield row(shape, count, step, ours.get(step), found, options.limit)
            beaten = beaten or len(theirs) < len(STEPS)


def parse():
    parser = argparse.ArgumentParser(prefix_chars="-", description=__doc__.splitlines()[0])
    number = lambda text: int(text.replace(",", "").replace("_", ""))
    parser.add_argument("-quick", action="store_true", help="1,000 resources, one run each")
    parser.add_argument("-shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("-counts", nargs="+", type=number, default=[1000, 10_000, 100_000])
    parser.add_argument("-runs", type=int, default=3, help="runs of isobar, of which the best counts")
    parser.add_argument("-limit", type=int, default=120, help="seconds that one command may take")
    parser.add_argument("-isobar", default="target/release/isobar", help="the program to measure")
    parser.add_argument("-alone", action="store_true", help="without Terraform")
    options = parser.parse_args()
    if options.quick:
        options.counts, options.runs = [1000], 1
    return options


def main():
    options = parse()
    os.environ.update(TF_CLI_CONFIG_FILE="/dev/null", CHECKPOINT_DISABLE="1", NO_COLOR="1")
    tools = [Tool("isobar", [str(Path(options.isobar).resolve())], "isobar_data", ".hcl")]
    if not options.alone and shutil.which("terraform"):
        tools.append(Tool("terraform", ["terraform"], "terraform_data", ".tf"))
    for cells in table(options, tools):
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
