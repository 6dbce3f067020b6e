#!/bin/bash
# Container of Greenlight's database in this stand-in: a real PostgreSQL, from the image that postgres_image.sh makes.
#
#     DATA=DIRECTORY POSTGRES_PASSWORD=PASSWORD postgres.sh IMAGE SOCKETS ADDRESS:PORT
#
# As in the real container, no DATA gets a new database with the password, one that is there keeps its own; programs of the
# container, which come by SOCKETS, are trusted, and who comes to ADDRESS needs the password. It is small, and with the
# machine's power its data may be lost: there is no fsync.
set -euo pipefail

image=$1 sockets=$2 address=$3
programs=$(echo "$image"/usr/lib/postgresql/*/bin)
export LD_LIBRARY_PATH=$image/usr/lib/x86_64-linux-gnu LC_ALL=C.UTF-8

# PostgreSQL does not run as root. The data are below /root, where only the real container has a way of its own.
as=() owner=$EUID
if ((EUID == 0)); then
  owner=${BBB_STANDIN_POSTGRES_USER:-70}
  as=(setpriv "--reuid=$owner" "--regid=$owner" --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search)
fi

install -d -m 0755 -o "$owner" "$sockets"
if [[ ! -e $DATA/PG_VERSION ]]; then
  # A start that was cut off has left its own.
  rm -rf "$DATA.new"
  mkdir -p "${DATA%/*}"
  install -d -m 0700 -o "$owner" "$DATA.new"
  "${as[@]}" "$programs/initdb" --pgdata="$DATA.new" --username=postgres --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --wal-segsize=1 --no-sync --no-instructions
  rm -rf "$DATA"
  mv "$DATA.new" "$DATA"
fi
exec "${as[@]}" "$programs/postgres" -D "$DATA" -k "$sockets" -h "${address%:*}" -p "${address##*:}" \
  -c fsync=off -c full_page_writes=off -c jit=off -c wal_level=minimal -c max_wal_senders=0 -c shared_buffers=8MB \
  -c max_connections=20 -c max_worker_processes=0 -c max_logical_replication_workers=0 -c autovacuum=off \
  -c min_wal_size=2MB -c max_wal_size=16MB
