#!/usr/bin/env bash
# Compares the protos with those of the commit before: what was released on the wire must still be read.
set -euo pipefail
cd "$(dirname "$0")/.."
buf=$1
base=${BREAKING_BASE:-$(git rev-parse --verify -q HEAD~1 || true)}
if [ -z "$base" ] || ! git cat-file -e "$base:proto" 2>/dev/null; then
  echo "no earlier protos to compare with"
  exit 0
fi
old=$(mktemp -d)
trap 'rm -rf "$old"' EXIT
git archive "$base" proto buf.yaml | tar -x -C "$old"
cp -r third_party "$old/"
GOWORK=off "$buf" breaking --against "$old"
