#!/usr/bin/env bash
# Builds the container image and tries it as compose.yaml runs it: healthy, without rights, condensing, and ending well.
#
#   packaging/check_image.sh               # builds `headroom` first
#   packaging/check_image.sh IMAGE         # tries one that is there
#
# With docker, podman or buildah, whichever is there (ENGINE names one); with curl and python3. The container shares this
# machine's network, so that a stand-in for the provider is reached on loopback.
set -euo pipefail
cd "$(dirname "$0")/.."

for engine in ${ENGINE:-docker podman buildah}; do
    # A client alone builds nothing.
    "$engine" info >/dev/null 2>&1 && break
    engine=
done
[ -n "$engine" ] || { echo "none of docker, podman and buildah can be used here" >&2 && exit 2; }
image=${1:-headroom}
container=headroom-check-$$
scratch=$(mktemp -d)
trap 'clean' EXIT

main() {
    [ $# -gt 0 ] || build
    echo "image: $image, $(($(size) / 1000000)) MB, by $engine"
    start_provider
    proxy=http://127.0.0.1:$(free_port)
    run
    wait_until "the health check passes" inside headroom health
    same "$(inside id -u)" 10001 "the user's number"
    ! inside touch /opt/headroom/x 2>/dev/null || fail "the user may write where the program lies"
    condenses
    drains
    echo "ok"
}

build() {
    local began=$SECONDS
    case $engine in
    docker) docker build --tag "$image" . ;;
    # Of the formats only Docker's keeps a health check.
    *) "$engine" build --format docker --layers --tag "$image" . ;;
    esac
    echo "built in $((SECONDS - began)) s"
}

size() {
    case $engine in
    buildah) buildah inspect --type image --format '{{.FromImageID}}' "$image" | xargs -I{} buildah images --json --filter id={} | python3 -c '
import json, re, sys
number, unit = re.fullmatch(r"([\d.]+) ?(\w+)", json.load(sys.stdin)[0]["size"]).groups()
print(int(float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit.upper()]))' ;;
    *) "$engine" image inspect --format '{{.Size}}' "$image" ;;
    esac
}

# The container as compose.yaml has it: nothing but its own folder can be written, and there is no right to get more.
run() {
    local settings=(HEADROOM_LISTEN="${proxy#http://}" HEADROOM_UPSTREAM="$provider" HEADROOM_RATIO=4)
    if [ "$engine" = buildah ]; then
        buildah from --name "$container" "$image" >/dev/null
        # Without namespaces of its own the process is one of this machine.
        buildah run --isolation chroot --user 10001 "$container" -- \
            env "${settings[@]}" sh -c 'echo $$ >/var/lib/headroom/pid && exec headroom serve' >"$scratch/log" 2>&1 &
        running=$!
        return
    fi
    "$engine" run --detach --name "$container" --network host --read-only --tmpfs /tmp --cap-drop ALL \
        --security-opt no-new-privileges --volume "$container:/var/lib/headroom" \
        "${settings[@]/#/--env=}" "$image" >/dev/null
}

inside() {
    case $engine in
    buildah) buildah run --isolation chroot --user 10001 "$container" -- env HEADROOM_LISTEN="${proxy#http://}" "$@" ;;
    *) "$engine" exec "$container" "$@" ;;
    esac
}

terminate() {
    case $engine in
    buildah) kill -TERM "$(inside cat /var/lib/headroom/pid)" ;;
    *) "$engine" kill --signal TERM "$container" >/dev/null ;;
    esac
}

# Sets `ended`, its exit status.
wait_for_end() {
    ended=0
    case $engine in
    buildah) wait "$running" || ended=$? ;;
    *) ended=$("$engine" wait "$container") ;;
    esac
}

condenses() {
    python3 -c '
import json, pathlib
text = pathlib.Path("fixtures/demo/service-agreement.md").read_text()
print(json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}))' >"$scratch/request"
    # The first request waits until the model is loaded, and its time is short.
    wait_until "it is ready" curl --fail --silent --output "$scratch/ready" "$proxy/headroom/ready"
    curl --fail --silent --show-error --dump-header "$scratch/head" --output "$scratch/answer" --max-time 30 \
        --header 'content-type: application/json' --data "@$scratch/request" "$proxy/v1/chat/completions"
    grep --quiet --ignore-case '^x-headroom-outcome: compressed' "$scratch/head" || fail "$(cat "$scratch/head")"
    local sent came
    sent=$(wc -c <"$scratch/request") came=$(cat "$scratch/came")
    [ "$came" -lt $((sent / 2)) ] || fail "$sent bytes were sent, and $came came to the provider"
    echo "condensed: $sent bytes -> $came"
}

# An answer that has begun is finished after SIGTERM, and the process ends well.
drains() {
    curl --fail --silent --no-buffer --max-time 60 "$proxy/v1/slow" >"$scratch/slow" &
    local client=$!
    wait_until "an answer has begun" grep --quiet begun "$scratch/slow"
    terminate
    # One that ends takes no new connection in, or says that it is not ready.
    wait_until "it is told to end" not curl --fail --silent --output "$scratch/ready" "$proxy/headroom/ready"
    curl --fail --silent "$provider/release"
    wait "$client" || fail "the answer broke off"
    same "$(cat "$scratch/slow")" "begun, ended" "the answer that was under way"
    wait_for_end
    same "$ended" 0 "the exit status after SIGTERM"
}

start_provider() {
    python3 - "$scratch" <<'EOF' &
import http.server, pathlib, sys, threading

scratch, released = pathlib.Path(sys.argv[1]), threading.Event()

class Provider(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/release":
            released.set()
            return self.answer(b"")
        self.send_response(200)
        self.send_header("content-length", "12")
        self.end_headers()
        self.wfile.write(b"begun")
        self.wfile.flush()
        released.wait(60)
        self.wfile.write(b", ended")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        (scratch / "came").write_text(str(len(body)))
        self.answer(b"{}")

    def answer(self, body):
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
(scratch / "port.new").write_text(str(server.server_port))
(scratch / "port.new").rename(scratch / "port")
server.serve_forever()
EOF
    stand_in=$!
    wait_until "the stand-in listens" test -f "$scratch/port"
    provider=http://127.0.0.1:$(cat "$scratch/port")
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

wait_until() {
    local what=$1
    shift
    for _ in $(seq 120); do
        ! "$@" >/dev/null 2>&1 || { echo "$what" && return; }
        sleep 0.5
    done
    fail "not within a minute: $what"
}

not() { ! "$@"; }

same() {
    [ "$1" = "$2" ] || fail "$3 is $1, not $2"
    echo "$3: $1"
}

fail() {
    echo "$1" >&2
    case $engine in
    buildah) tail -20 "$scratch/log" >&2 ;;
    *) "$engine" logs --tail 20 "$container" >&2 ;;
    esac
    exit 1
}

clean() {
    [ -z "${stand_in:-}" ] || kill "$stand_in" 2>/dev/null || true
    case $engine in
    buildah)
        [ -z "${running:-}" ] || kill "$running" 2>/dev/null || true
        buildah rm "$container" >/dev/null 2>&1 || true
        ;;
    *)
        "$engine" rm --force "$container" >/dev/null 2>&1 || true
        "$engine" volume rm "$container" >/dev/null 2>&1 || true
        ;;
    esac
    rm -rf "$scratch"
}

main "$@"
