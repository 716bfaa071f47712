#!/usr/bin/env bash
# Time and peak memory of a plan over COUNT resources that refer to one another, beside Terraform
# on the same work where it is installed. Prints one row for each.
#
#   benches/plan.sh [COUNT]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
count=${1:-2000}
runs=5

cargo build --release --quiet --no-default-features
isobar=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/isobar
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/isobar" "$folder/terraform"

# Ten layers: a resource refers to the one at the same place in the layer before.
layer=$(((count + 9) / 10))
for ((i = 0; i < count; i++)); do
  if ((i < layer)); then input="value-$i"; else input="value-$i \${TYPE.r$((i - layer)).id}"; fi
  printf 'resource "TYPE" "r%d" {\n  input = "%s"\n}\n' "$i" "$input"
done >"$folder/main"
sed 's/TYPE/isobar_data/g' "$folder/main" >"$folder/isobar/main.hcl"
sed 's/TYPE/terraform_data/g' "$folder/main" >"$folder/terraform/main.tf"

# Best of several runs: seconds, then the largest resident set in MB.
measure() {
  python3 - "$runs" "$@" <<'PYTHON'
import os, subprocess, sys, time
runs, command = int(sys.argv[1]), sys.argv[2:]
best, peak = float("inf"), 0
for _ in range(runs):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{command} ended with status {status}"
    best, peak = min(best, time.perf_counter() - start), max(peak, usage.ru_maxrss / 1024)
print(f"{best:.3f} {peak:.0f}")
PYTHON
}

printf '%-24s %10s %10s\n' "plan of $count resources" seconds "peak MB"
read -r ours memory < <(measure "$isobar" -chdir="$folder/isobar" plan)
printf '%-24s %10s %10s\n' isobar "$ours" "$memory"
if command -v terraform >/dev/null; then
  terraform -chdir="$folder/terraform" init >/dev/null
  runs=1
  read -r theirs memory < <(measure terraform -chdir="$folder/terraform" plan)
  printf '%-24s %10s %10s\n' "$(terraform version | head -1)" "$theirs" "$memory"
  python3 -c "print(f'{\"ratio\":<24} {$theirs / $ours:9.0f}x')"
fi
