#!/bin/bash
# Makes the image of PostgreSQL for the stand-in of Greenlight: the distribution's packages, what they need of libraries that
# this system lacks, and the driver for Python, unpacked. Installed, they would be a service of the system's own.
#
#     postgres_image.sh DIRECTORY
set -euo pipefail

new=$1.new
rm -rf "$new"
mkdir -p "$new"
cd "$new"
version=$(apt-cache depends postgresql | sed -n 's/^ *Depends: postgresql-\([0-9]*\)$/\1/p')
packages=("postgresql-$version" "postgresql-client-$version" libpq5 python3-psycopg2)
# Without what only LLVM needs, which compiles queries and is larger than all else, and the Perl of scripts that are not used.
apt-get -q -s --no-install-recommends install "${packages[@]}" |
  sed -En -e '/^Inst (lib(llvm|z3|perl|gdbm)|[^ ]*-perl )/d' -e 's/^Inst (lib[^ ]*) .*/\1/p' >libraries
mapfile -t all < <(printf '%s\n' "${packages[@]}" | sort -u - libraries)
apt-get -q download "${all[@]}"
for package in *.deb; do dpkg-deb --extract "$package" .; done
rm -rf libraries ./*.deb usr/share/{doc,locale,lintian,man,postgresql/*/man} usr/lib/postgresql/*/lib/bitcode
rm -rf "$1"
mv "$new" "$1"
