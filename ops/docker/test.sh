#!/usr/bin/env bash
# Builds both images and runs a conversation: each client in a container of its own. Reads the
# messages from the volume and restarts the server during the conversation.
#
#     ops/docker/test.sh
#
# Exit code 0: all checks passed; 1: a check failed; 77: no docker engine answers, nothing was
# tested. Leaves the images chat-server:test and chat-client:test and their bases; removes
# everything else it made.
set -euo pipefail
cd "$(dirname "$0")/../.."

run=chat-test-$$-$RANDOM # part of every name and label, to touch nothing else
network=$run volume=$run server=$run-server
tmp=$(mktemp -d)
passed=0

pass() { passed=$((passed + 1)) && echo "ok    $*"; }

fail() {
    echo "FAIL  $*" >&2
    for file in "$tmp"/*.{log,out,err}; do
        if [[ -s $file ]]; then tail -n 40 "$file" | sed "s|^|      ${file##*/}: |" >&2; fi
    done
    docker logs "$server" 2>&1 | tail -n 40 | sed 's|^|      server: |' >&2
    exit 1
}

clean_up() {
    docker ps -aq --filter "label=$run" | xargs -r docker rm -f >/dev/null
    docker volume rm -f "$volume" >/dev/null 2>&1 || true
    docker network rm "$network" >/dev/null 2>&1 || true
    rm -rf --one-file-system "$tmp"
}

# --- The images ---

# Makes a base image under the name in the Dockerfiles if no registry has it: Debian from the
# package source of this machine, and for the builder the Rust toolchain of this machine.
bootstrap() { # NAME
    local root=$tmp/root log=$tmp/bootstrap.log packages='' mirror
    echo "      no registry gives $1: making a stand-in from this machine's packages"
    [[ $(id -u) == 0 ]] || fail "making a base image takes root"
    # shellcheck disable=SC2016 # a variable of apt
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sed -n 1p)
    [[ $mirror ]] || fail "apt knows no source of Debian's packages"
    if ! command -v debootstrap >/dev/null; then
        { apt-get update && apt-get install -y debootstrap; } >"$log" 2>&1 || fail "no debootstrap"
    fi
    [[ $1 != rust:* ]] || packages=ca-certificates,gcc,libc6-dev
    debootstrap --variant=minbase ${packages:+--include="$packages"} bookworm "$root" "$mirror" \
        >"$log" 2>&1 || fail "debootstrap of $1"
    if [[ $1 == rust:* ]]; then
        tar -C "$(rustc --print sysroot)" -c bin/cargo bin/rustc lib | tar -C "$root/usr/local" -x
        # cargo in the container trusts the authorities of this machine.
        cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    fi
    tar -C "$root" --exclude='./dev/*' --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' \
        --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' -c . \
        | docker import --change 'ENV CARGO_HOME=/usr/local/cargo' \
            --change 'LABEL made-by=ops/docker/test.sh' - "$1" >"$log"
    rm -rf --one-file-system "$root"
}

build() { # server|client
    local file=ops/docker/$1.Dockerfile bases base
    mapfile -t bases < <(sed -n 's/^FROM \([^ ]*\).*/\1/p' "$file")
    for base in "${bases[@]}"; do
        if ! docker image inspect "$base" >/dev/null 2>&1 && ! docker pull "$base" >/dev/null 2>&1; then
            bootstrap "$base"
        fi
    done
    echo "      building chat-$1, some minutes where nothing is cached"
    docker build --force-rm -f "$file" -t "chat-$1:test" . >"$tmp/build.log" 2>&1 || fail "chat-$1 builds"
    [[ $(docker run --rm --label "$run" --network none --entrypoint id "chat-$1:test" -u) != 0 ]] \
        || fail "chat-$1 does not run as root"
    rm "$tmp"/*.log # not related to later failures
    pass "chat-$1 builds, $(docker image inspect -f '{{.Size}}' "chat-$1:test" | numfmt --to=iec) with its base, and does not run as root"
}

# --- The clients ---

client() { # FLAG-OF-DOCKER NICK
    docker run --rm "$1" --label "$run" --network "$network" chat-client:test chat-server --nick "$2"
}

terminal() { # NICK: a client on a terminal
    script -qefc "stty rows 24 cols 80
        docker run --rm -it --label $run --network $network chat-client:test chat-server --nick $1" /dev/null
}

arrive() { # NICK COMMAND...: starts a client that reads NICK.in until it quits
    mkfifo "$tmp/$1.in"
    # Opened for reading and writing, so that the input does not end with the first writer.
    "${@:2}" <>"$tmp/$1.in" >"$tmp/$1.out" 2>"$tmp/$1.err" &
    pids[$1]=$!
}
declare -A pids

types() { printf '%b' "$2" >"$tmp/$1.in"; } # NICK KEYS

sees() { grep -qF -- "$2" "$tmp/$1.out"; } # NICK TEXT

leaves() { # NICK KEYS
    types "$1" "$2"
    wait "${pids[$1]}" || fail "$1 says goodbye with 0, not $?"
    pass "$1 says goodbye with 0"
}

# --- The server and its volume ---

healthy() { [[ $(docker inspect -f '{{.State.Health.Status}}' "$server") == healthy ]]; }

until_true() { # WHAT COMMAND...: a minute at most, longer than the delay of a reconnect
    for ((turn = 0; turn < 300; turn++)); do
        if "${@:2}"; then pass "$1" && return; fi
        sleep 0.2
    done
    fail "$1"
}

recorded() { # TEXT...: each once
    docker run --rm --label "$run" --network none --entrypoint cat -v "$volume:/data:ro" chat-server:test \
        /data/chat_history.log >"$tmp/history.out"
    for text in "$@"; do
        [[ $(grep -cF "\"text\":\"$text\"" "$tmp/history.out") == 1 ]] || fail "'$text' is once in the history"
    done
    pass "$# messages are in the volume, each once"
}

# --- The scenes ---

docker version >/dev/null 2>&1 || { echo "SKIPPED: no docker engine answers, nothing was tested" && exit 77; }
trap clean_up EXIT
trap 'exit 1' INT TERM

for compose in 'docker compose' docker-compose; do
    $compose version >/dev/null 2>&1 || continue
    $compose -f ops/compose.yaml config -q || fail "$compose reads compose.yaml"
    pass "$compose reads compose.yaml"
done
build server
build client

docker network create --label "$run" "$network" >/dev/null
docker volume create --label "$run" "$volume" >/dev/null
docker run -d --label "$run" --name "$server" --network "$network" --network-alias chat-server \
    -v "$volume:/data" --health-interval 1s chat-server:test >/dev/null
until_true "the server becomes healthy" healthy

arrive luis client -i luis
types luis '.l\n'
until_true "luis is in" sees luis 'in #lobby: luis'
arrive ana client -i ana
until_true "luis sees ana come" sees luis '* ana joined #lobby'
types ana 'hola luis\n'
until_true "luis hears ana" sees luis '[ana]: hola luis'
types luis '¿qué tal, ana?\n'
until_true "ana hears luis" sees ana '[luis]: ¿qué tal, ana?'
types ana '/tell luis un secreto\n'
until_true "luis hears ana's secret" sees luis '[ana -> luis]: un secreto'

arrive maria terminal maria
until_true "luis sees maria come" sees luis '* maria joined #lobby'
types maria 'desde la terminal\r'
until_true "luis hears maria, who sits at a terminal" sees luis '[maria]: desde la terminal'
leaves maria '.q\r'
recorded 'hola luis' '¿qué tal, ana?' 'un secreto' 'desde la terminal'

docker stop -t 5 "$server" >/dev/null
code=$(docker inspect -f '{{.State.ExitCode}}' "$server")
[[ $code == 0 ]] || fail "the server ends with 0 on SIGTERM, not $code"
pass "the server ends with 0 on SIGTERM, in time"
types ana '¿sigues ahí?\n'
docker start "$server" >/dev/null
until_true "the server is healthy again" healthy
until_true "luis hears what ana said meanwhile" sees luis '[ana]: ¿sigues ahí?'
types luis 'aquí sigo\n'
until_true "ana hears luis after the restart" sees ana '[luis]: aquí sigo'
leaves ana '.q\n'
leaves luis '.q\n'

echo recado | client -i bot >/dev/null || fail "a pipe into the client ends with 0, not $?"
recorded 'hola luis' '¿qué tal, ana?' 'un secreto' 'desde la terminal' '¿sigues ahí?' 'aquí sigo' recado

echo 'no_such_key = 1' | tee "$tmp/server.toml" >/dev/null && chmod 755 "$tmp" && chmod 644 "$tmp/server.toml"
docker run --rm --label "$run" --network none -v "$tmp/server.toml:/etc/chat/server.toml:ro" \
    chat-server:test >"$tmp/mounted.out" 2>&1 && fail "a configuration with an unknown key is refused"
grep -q no_such_key "$tmp/mounted.out" || fail "a mounted configuration is read"
pass "a mounted configuration is read"

echo "docker: $passed passed, 0 failed"
