#!/usr/bin/env bash
#
# Gets this host's certificate from the authority, if certbot does not know the present one, and puts it into use. It is
# no step: run it on the host by hand, as the check of its renewal says.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/host/certbot.sh
. "$LIB/certbot.sh"

parse_flags "role=! hostname=!" "$@"
hostname=${flag[hostname]}

need_root
if own_certificate_in_use "$hostname"; then
  fail "the certificate of $hostname is the operator's own: put a new one into the file of certificateFile or turnCertificateFile, then run pulumi up"
fi
request_certificate "${flag[role]}" "$hostname" "" --keep-until-expiring ||
  fail "there is no new certificate of $hostname, for the reason above; what was there is as it was"
use_certificate "${flag[role]}" || fail "the service did not take the certificate of $hostname: see systemctl status nginx coturn"
progress "certbot renews the certificate of $hostname, valid until $(date -u -d "$(openssl x509 -noout -enddate -in "$live/$hostname/fullchain.pem" | cut -d= -f2)" +%F)"
