#!/usr/bin/env bash
# How fast is `batch`? Prints ratios to wrk, which sends the same requests over as many connections: requests a second, and CPU
# time a request, over plain HTTP and TLS. Then memory and time for few lines and for many. nginx on loopback answers.
#
#   examples/batch-bench.sh [LINES [MANY]]        needs nginx, openssl, python3 and wrk; builds the release binary
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'kill "$(cat "$work/nginx.pid" 2> /dev/null)" 2> /dev/null || true; rm -rf "$work"' EXIT

say() { echo "batch-bench: $*" >&2; }

for tool in nginx openssl python3 wrk; do
    command -v "$tool" > /dev/null || { say "$tool is missing"; exit 2; }
done
binary=${BINARY:-}
if [ -z "$binary" ]; then
    say "building the release binary; the first time takes minutes"
    cargo build --release --quiet --bin wecom-alert
    target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
    binary=$target/release/wecom-alert
fi

openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2> /dev/null
port=$((20000 + RANDOM % 10000))
cat > "$work/nginx.conf" << END
worker_processes 1;
pid $work/nginx.pid;
error_log $work/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    default_type application/json;
    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$((port + 1)) ssl;
        ssl_certificate $work/cert.pem;
        ssl_certificate_key $work/key.pem;
        location /cgi-bin/gettoken {
            return 200 '{"errcode":0,"errmsg":"ok","access_token":"token-of-the-bench","expires_in":7200}';
        }
        location / { return 200 '{"errcode":0,"errmsg":"ok"}'; }
    }
}
END
nginx -c "$work/nginx.conf" 2> /dev/null

WORK=$work BINARY=$binary PORT=$port LINES=${1:-10000} MANY=${2:-1000000} python3 - << 'PYTHON'
import json, os, subprocess, sys, time

work, binary, port = os.environ["WORK"], os.environ["BINARY"], int(os.environ["PORT"])
few, many = int(os.environ["LINES"]), int(os.environ["MANY"])
CONNECTIONS, TARGETS, RUNS, SECONDS = 16, 64, 5, 2
TEXT = "disk full on web-3: /var is at 97 percent, 1.2 GiB are left; growing by 40 MiB a minute"
BODIES = {
    "webhook": {"msgtype": "text", "text": {"content": TEXT}},
    "app": {"touser": "user1", "msgtype": "text", "agentid": 1000002, "text": {"content": TEXT}},
}
PATHS = {
    "webhook": "/cgi-bin/webhook/send?key=00000000-0000-4000-8000-000000000001",
    "app": "/cgi-bin/message/send?access_token=token-of-the-bench",
}


def write_config(url):
    profiles = [f"[profiles.room{n}]\nwebhook = '00000000-0000-4000-8000-{n:012}'\n" for n in range(1, TARGETS + 1)]
    app = "[profiles.app]\ncorp_id = 'wwbench'\nagent_id = 1000002\nsecret = 'secret-of-the-bench'\n"
    with open(f"{work}/config.toml", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(f"base_url = '{url}'\nca_file = '{work}/cert.pem'\n{''.join(profiles)}{app}")


def write_lines(channel, count):
    to = (lambda n: {"profile": f"room{n}"}) if channel == "webhook" else (lambda n: {"profile": "app", "to_user": f"user{n}"})
    lines = [json.dumps(to(n) | {"text": TEXT}) + "\n" for n in range(1, TARGETS + 1)]
    with open(f"{work}/lines", "w") as file:
        for n in range(count):
            file.write(lines[n % TARGETS])


def run(command):
    """Seconds, CPU seconds, peak memory in KiB (at least that of this script, from which it starts) and output of a command."""
    env = {"PATH": os.environ["PATH"], "HOME": work, "WECOM_ALERT_CONFIG": f"{work}/config.toml"}
    with open(f"{work}/out", "w+") as out, open(f"{work}/err", "w+") as err:
        began = time.perf_counter()
        child = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, use = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        spent = time.perf_counter() - began
        out.seek(0)
        err.seek(0)
        if child.returncode:
            sys.exit(f"{command[0]} ended with {child.returncode}: {err.read()[-2000:]}")
        return spent, use.ru_utime + use.ru_stime, use.ru_maxrss, out.read()


def wrk(url, channel):
    """Requests a second, and CPU seconds for each."""
    with open(f"{work}/post.lua", "w") as script:
        body = json.dumps(BODIES[channel], separators=(",", ":"))
        script.write(f'wrk.method = "POST"\nwrk.body = [[{body}]]\n')
        script.write('wrk.headers["Content-Type"] = "application/json; charset=utf-8"\n')
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", str(SECONDS), "-s", f"{work}/post.lua", url + PATHS[channel]]
    spent, cpu, _, out = run(command)
    requests = int(out.split(" requests in ")[0].split()[-1])
    return requests / spent, cpu / requests


def batch(channel, count):
    """Messages a second, CPU seconds for each, and peak memory in KiB."""
    write_lines(channel, count)
    spent, cpu, peak, out = run([binary, "--rate", "off", "batch", "--jobs", str(CONNECTIONS), f"{work}/lines"])
    sent = out.count('"status":"sent"')
    if sent < count:
        sys.exit(f"{sent} of {count} were sent")
    return count / spent, cpu / count, peak


for scheme, url in ("http", f"http://127.0.0.1:{port}"), ("https", f"https://127.0.0.1:{port + 1}"):
    write_config(url)
    for channel in BODIES:
        pairs = [(wrk(url, channel), batch(channel, few)) for _ in range(RUNS)]
        # The median pair, by the ratio of their rates.
        yardstick, own = sorted(pairs, key=lambda pair: pair[1][0] / pair[0][0])[RUNS // 2]
        print(f"{scheme:5} {channel:7} {few} messages: {own[0]:6.0f} : {yardstick[0]:6.0f} a second by wrk, ratio"
              f" {own[0] / yardstick[0]:.2f}; CPU {own[1] * 1e6:5.1f} : {yardstick[1] * 1e6:5.1f} us each, ratio"
              f" {own[1] / yardstick[1]:.2f}; peak {own[2]} KiB", flush=True)

write_config(f"http://127.0.0.1:{port}")
for count in (few, many):
    rate, cpu, peak = batch("webhook", count)
    print(f"{count:8} lines: {1e6 / rate:5.1f} us each, CPU {cpu * 1e6:5.1f} us each, peak {peak} KiB", flush=True)
PYTHON
