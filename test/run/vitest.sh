#!/bin/sh
# Runs the tests whose path contains one of the arguments; leaves a JSON report where the suite runner looks for it.
set -eu
exec vitest run --reporter=default --reporter=json --outputFile.json="${GATEHOUSE_REPORT:-.reports/vitest.json}" "$@"
