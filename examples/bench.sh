#!/usr/bin/env bash
# How fast is one alert, beside curl? Prints ratios of medians: wall-clock time, CPU time and peak memory of whole
# processes, measured in turn within one run, over TLS against a stand-in on loopback, with the system's whole trust store.
#
#   examples/bench.sh [RUNS]        needs curl and python3; builds the release binary and the sandbox
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-40}
work=$(mktemp -d)
trap 'kill "${sandbox:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

say() { echo "bench: $*" >&2; }

say "building the release binary and the sandbox; the first time takes minutes"
cargo build --release --quiet --bin wecom-alert --example sandbox
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
binary=$target/release/wecom-alert

say "starting the sandbox"
"$target/release/examples/sandbox" --quiet --write-ca "$work/ca.pem" > "$work/sandbox" &
sandbox=$!
for _ in $(seq 100); do grep -q TO_USER "$work/sandbox" && break; sleep 0.1; done
eval "$(grep '^export' "$work/sandbox")"

bundle=
for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    [ -r "$file" ] && { bundle=$file; break; }
done
[ -n "$bundle" ] || { echo "no bundle of the system's certificates was found" >&2; exit 1; }
cat "$bundle" "$work/ca.pem" > "$work/bundle.pem"

WORK=$work RUNS=$runs BINARY=$binary python3 - <<'PYTHON'
import os, statistics, subprocess, sys

work, runs, binary = os.environ["WORK"], int(os.environ["RUNS"]), os.environ["BINARY"]
bundle = f"{work}/bundle.pem"
base, key = os.environ["WECOM_ALERT_BASE_URL"], os.environ["WECOM_ALERT_WEBHOOK"]
env = {name: value for name, value in os.environ.items() if name.startswith("WECOM_ALERT_")}
# Paced like any alert, but never made to wait.
env |= {"PATH": os.environ["PATH"], "HOME": work, "SSL_CERT_FILE": bundle, "WECOM_ALERT_RATE": "1000/1s"}
body = '{"msgtype":"text","text":{"content":"disk full"}}'

# A process of its own for each run: the peak memory of waited-for children is that of the largest one.
RUNNER = """
import os, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
wall = time.perf_counter() - began
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, wall, use.ru_utime + use.ru_stime)
"""

def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)

def measure(command):
    out = subprocess.run(["python3", "-c", RUNNER, *command], env=env, capture_output=True, text=True, check=True).stdout
    code, wall, cpu = out.split()
    assert code == "0", f"{command[0]} ended with {code}"
    return float(wall), float(cpu)

def peak(command):
    """KiB, polled from /proc: a child forked by a large process would inherit its peak."""
    child = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    most = 0
    while child.poll() is None:
        try:
            with open(f"/proc/{child.pid}/status") as status:
                fields = dict(line.split(":", 1) for line in status)
                with open(f"/proc/{child.pid}/comm") as comm:
                    if comm.read().strip() == os.path.basename(command[0])[:15]:
                        most = max(most, int(fields.get("VmHWM", "0 kB").split()[0]))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return most

def compare(title, ours, theirs):
    say(f"measuring {title}: {runs} pairs of runs")
    pairs = [(measure(ours), measure(theirs)) for _ in range(runs + 1)][1:]
    print(f"{title}, {runs} pairs", flush=True)
    for index, name in enumerate(("wall", "CPU")):
        a = statistics.median(pair[0][index] for pair in pairs)
        b = statistics.median(pair[1][index] for pair in pairs)
        print(f"  {name:5} {a * 1000:6.1f} ms : {b * 1000:6.1f} ms = {a / b:.2f}")

send = [binary, "webhook-send", "disk full"]
curl = ["curl", "-s", "--cacert", bundle, "-H", "Content-Type: application/json", "-d", body,
        f"{base}/cgi-bin/webhook/send?key={key}"]
compare("webhook-send : curl, over TLS", send, curl)
say("measuring the peak memory of both")
memory = [statistics.median(peak(command) for _ in range(10)) for command in (send, curl)]
if all(memory):
    print(f"  peak  {memory[0] / 1024:6.1f} MiB : {memory[1] / 1024:5.1f} MiB = {memory[0] / memory[1]:.2f}")

subprocess.run([binary, "get-token"], env=env, check=True, stdout=subprocess.DEVNULL)
compare("get-token from a warm cache : curl --version", [binary, "get-token"], ["curl", "--version"])
print(f"binary: {os.path.getsize(binary) / 1024 / 1024:.1f} MiB")
PYTHON
