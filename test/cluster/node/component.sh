#!/usr/bin/env bash
# component.sh DIR start|stop|kill NAME: one process of the cluster in DIR, such as kube-apiserver, for tests of its absence.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
dir=$(cd "$1" && pwd)
[ -x "$dir/$3.run" ] || fail "no component $3 in $dir"
case $2 in
  start) launch "$3" ;;
  stop) halt "$3" ;;
  kill) halt "$3" KILL ;;
  *) fail "start, stop or kill, not $2" ;;
esac
