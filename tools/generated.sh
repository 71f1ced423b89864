#!/usr/bin/env bash
# Generates into a copy and compares: gen/ must be what the protos say.
set -euo pipefail
cd "$(dirname "$0")/.."
buf=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp -r proto third_party buf.yaml buf.gen.yaml tools go.mod go.sum "$tmp/"
mkdir "$tmp/gen"
(cd "$tmp" && GOWORK=off "$buf" generate)
for d in provenir openapi; do
  diff -rq -x '*.go~' -x openapi.go "gen/$d" "$tmp/gen/$d" || { echo "gen/ is not what the protos generate: run make gen" >&2; exit 1; }
done
