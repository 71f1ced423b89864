#!/usr/bin/env bash
# Fills third_party/proto (ignored by git) from pinned packages and checks every file against third_party/SHA256SUMS.
# Needs pip and the Go module proxy; takes a few seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
common=1.76.0 validate=v1.2.2 gateway=v2.33.0
out=third_party/proto
if [ -d "$out" ] && (cd "$out" && sha256sum --quiet -c ../SHA256SUMS) 2>/dev/null; then exit 0; fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rm -rf "$out" && mkdir -p "$out"

pip download -q --disable-pip-version-check --no-deps -d "$tmp" "googleapis-common-protos==$common"
python3 - "$tmp" "$out" <<'P'
import glob, os, sys, zipfile
tmp, out = sys.argv[1:]
names = ["google/api/" + n for n in ("annotations", "http", "httpbody", "field_behavior", "visibility")]
names += ["google/rpc/" + n for n in ("status", "code", "error_details")]
with zipfile.ZipFile(glob.glob(tmp + "/*.whl")[0]) as wheel:
    for name in names:
        path = os.path.join(out, name + ".proto")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(wheel.read(name + ".proto"))
P
module() { (cd "$tmp" && GOWORK=off GOFLAGS=-mod=mod go mod download -json "$1" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])'); }
dir=$(module "github.com/bufbuild/protovalidate@$validate")
install -Dm644 "$dir/proto/protovalidate/buf/validate/validate.proto" "$out/buf/validate/validate.proto"
dir=$(module "github.com/grpc-ecosystem/grpc-gateway/v2@$gateway")
for f in annotations openapiv2; do
  install -Dm644 "$dir/protoc-gen-openapiv2/options/$f.proto" "$out/protoc-gen-openapiv2/options/$f.proto"
done

(cd "$out" && find . -name '*.proto' | LC_ALL=C sort | xargs sha256sum) >"$tmp/sums"
if [ -f third_party/SHA256SUMS ]; then
  diff third_party/SHA256SUMS "$tmp/sums" || { echo "third_party/proto is not what third_party/SHA256SUMS pins" >&2; exit 1; }
else
  mkdir -p third_party && cp "$tmp/sums" third_party/SHA256SUMS
fi
