#!/bin/sh
# Runs the tests whose path contains one of the arguments, again and again for MINUTES (default 30). Property tests draw new inputs each time.
# Stops at the first failure; fast-check prints the seed that repeats it.
set -eu
end=$(($(date +%s) + 60 * ${MINUTES:-30}))
rounds=0
while [ "$(date +%s)" -lt "$end" ]; do
  vitest run --reporter=dot "$@"
  rounds=$((rounds + 1))
done
echo "$rounds rounds without a failure"
