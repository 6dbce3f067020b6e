#!/bin/sh
#
# keep FILE: keeps its standard input there for the steps' scripts, for root alone and past a restart of the host; nothing for
# none. The program sends it before the first step of an update (steps/keep.ts), when nothing of ours may be on the host yet.
set -eu
umask 077
file=$1
mkdir -p "$(dirname "$file")"
cat >"$file.new"
if [ -s "$file.new" ]; then
  mv -T "$file.new" "$file"
else
  rm -f "$file.new" "$file"
fi
