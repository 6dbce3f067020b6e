# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables and flags are those of install-bbb.sh
#
# BigBlueButton's own installer: fetched, run, and watched. Read in by install-bbb.sh, after lib.sh and certbot.sh.

download_installer() {
  local url=${flag[installer-url]} wanted=${flag[installer-sha256]:-} found
  mkdir -p "${installer%/*}"
  retry 5 curl --fail --silent --show-error --location --max-time 120 --output "$installer.new" "$url" ||
    fail "the installer could not be fetched from $url: check the setting installerUrl and the host's way to the internet"
  found=$(sha256sum "$installer.new" | cut -d' ' -f1)
  if [[ -z $wanted ]]; then
    progress "note: no hash of the installer is known; what was fetched has sha256 $found"
  elif [[ $found != "$wanted" ]]; then
    fail "the installer at $url has sha256 $found, not $wanted: it was changed since it was checked. Read what changed, then set installerSha256 (and installerUrl) to what you trust"
  fi
  if [[ $(head -c 2 "$installer.new") != "#!" ]]; then
    fail "what $url gives is not a script: check the setting installerUrl"
  fi
  mv "$installer.new" "$installer"
}

# Its output, into the log; what tells how far it is, to the operator too. Where bbb-web could not be installed it waits
# for its files for ever, a dot a second: longer than the 160 s of dots that bbb-conf --check may print.
watch_installer() {
  local line="" text status secret dots=${BBB_DEPLOY_PATIENCE:-600}
  secret=$(sed -n 's/^[[:space:]]*securitySalt[[:space:]]*[=:][[:space:]]*//p' "$properties" 2>/dev/null | tail -n 1) || true
  while :; do
    status=0
    IFS= read -r -t "${BBB_DEPLOY_POLL:-30}" text || status=$?
    line+=$text
    if ((status > 128)); then
      text=${line: -dots}
      if ((${#text} == dots)) && [[ -z ${text//./} ]]; then
        progress "the installer waits for packages that it could not install; stopping it"
        kill "$(<"$installer.pid")" 2>/dev/null || true
        line=""
      fi
      continue
    fi
    if ((status != 0)) && [[ -z $line ]]; then return 0; fi
    line=$(without "$secret" "$line")
    printf '%s\n' "$line"
    case $line in
      "Setting up bbb-"*) progress "${line%% (*}" ;;
      "Setting up bigbluebutton "*) progress "Setting up bigbluebutton" ;;
      *"Requesting a certificate"* | *"Successfully received certificate"*) progress "${line## }" ;;
      "Restarting BigBlueButton"*) progress "restarting BigBlueButton" ;;
      *"pulling from"* | *"Pulling from"*) progress "fetching container images" ;;
      bbb-install*:*) progress "$line" ;;
    esac
    line=""
  done
}

# Of the installer, in `options`: those given, with what only this host knows.
fill_in_arguments() {
  local i
  options=("${arguments[@]}")
  for i in "${!options[@]}"; do
    case ${options[i]} in
      EMAIL) options[i]=$(account_email) ;;
      *:THROW-AWAY) options[i]=${options[i]%THROW-AWAY}$(openssl rand -hex 24) ;;
    esac
  done
  if own_certificate_in_use "$hostname"; then options+=(-d); fi
}

run_installer() {
  local status=0 options environment limit=$((deadline - SECONDS))
  mkdir -p "${output%/*}"
  fill_in_arguments
  # It prints its environment.
  environment=(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root LANG=C.UTF-8
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l IP="${flag[ipv4]}")
  if [[ -n ${flag[private-ipv4]:-} ]]; then environment+=(INTERNAL_IP="${flag[private-ipv4]}"); fi
  (
    cd /root && printf '%s\n' "$BASHPID" >"$installer.pid" &&
      exec env -i "${environment[@]}" timeout --kill-after=60 "$limit" bash "$installer" "${options[@]}" </dev/null 2>&1
  ) | watch_installer | tee "$output" || status=$?
  note "the installer ended with exit code $status"
  ended=$status
  stopped=""
  if ((status == 124 || status == 137)); then stopped="the installer was not done after $limit s, and was stopped"; fi
}
