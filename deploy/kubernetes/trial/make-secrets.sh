#!/bin/sh
# Creates the trial's generated secrets in secrets/ beside this file; existing ones stay. Add the other two yourself:
# secrets/github-token and secrets/model-key.
set -eu
umask 077
cd "$(dirname "$0")/secrets"

random() {
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

for name in run-token-key webhook-secrets staff-token postgres-password; do
  [ -s "$name" ] || random >"$name"
done
[ -s database-url ] ||
  printf 'postgres://codexk8s:%s@postgres.codex-k8s.svc:5432/codexk8s' "$(cat postgres-password)" >database-url
for name in github-token model-key; do
  [ -s "$name" ] || echo "still missing: $(pwd)/$name"
done
