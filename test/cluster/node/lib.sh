# Sourced by the scripts beside it: where things are, and processes that are found again.
# shellcheck shell=bash
node_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=${GATEHOUSE_TOOLS:-$HOME/.cache/gatehouse-tools}
export PATH=$tools:$PATH

say() { echo "cluster: $*" >&2; }
fail() { say "$@"; exit 1; }

# Succeeds while the process $1 lives and was started for the cluster in $dir: every command line of ours names that folder.
is_ours() { [ -n "${1:-}" ] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$dir"; }

pid_of() { cat "$dir/$1.pid" 2>/dev/null; }
is_running() { is_ours "$(pid_of "$1")"; }

# define NAME COMMAND...: keeps the command of a component, so that it can be started again as it was.
define() { local name=$1; shift; { echo '#!/usr/bin/env bash'; printf 'exec'; printf ' %q' "$@"; echo; } >"$dir/$name.run"; chmod +x "$dir/$name.run"; }

# launch NAME: starts a component that was defined. On a node it outlives the terminal; alone it ends with its caller's process group.
launch() {
  local name=$1 detach=()
  is_running "$name" && return
  [ -f "$dir/node" ] && detach=(setsid)
  "${detach[@]}" "$dir/$name.run" </dev/null >>"$dir/$name.log" 2>&1 &
  echo $! >"$dir/$name.pid"
}

# halt NAME [SIGNAL]: ends a component and waits until it is gone; after 5 s by force.
halt() {
  local name=$1 pid
  pid=$(pid_of "$name")
  rm -f "$dir/$name.pid"
  is_ours "$pid" || return 0
  kill "-${2:-TERM}" "$pid" 2>/dev/null
  for _ in $(seq 100); do is_ours "$pid" || return 0; sleep 0.05; done
  kill -KILL "$pid" 2>/dev/null
  for _ in $(seq 100); do is_ours "$pid" || return 0; sleep 0.05; done
  say "$name (process $pid) can't be ended"
}

# wait_for WHAT COMPONENT COMMAND...: until the command succeeds, at most a minute, and not when the component has ended.
wait_for() {
  local what=$1 component=$2 end=$((SECONDS + 60))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ] || ! is_running "$component"; then
      say "$what does not become ready; the end of $dir/$component.log:"
      tail -n 8 "$dir/$component.log" >&2
      exit 1
    fi
    sleep 0.1
  done
}
