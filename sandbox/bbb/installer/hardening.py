"""Small changes to the system, by option or unasked."""

import os

from release import IS_4
from shell import output, run, write

HOOK = "/etc/bigbluebutton/bbb-conf/apply-config.sh"


def raise_open_files():
    if int(output("nproc", "--all") or 0) < 8:
        return
    directory = "/etc/systemd/system/bbb-web.service.d"
    os.makedirs(directory, exist_ok=True)
    write(f"{directory}/override.conf", "[Service]\nLimitNOFILE=8192\n")
    run("systemctl", "daemon-reload")


def firewall(wish):
    """Writes the hook in which bbb-conf opens ufw's ports at each start, unless there is one.
    4.0 needs no -w for it.
    """
    if (IS_4 or wish.firewall) and not os.path.isfile(HOOK):
        write(HOOK, "#!/bin/bash\n. /etc/bigbluebutton/bbb-conf/apply-lib.sh && enableUFWRules\n")
        run("chmod", "+x", HOOK)


def secure_shell(wish):
    if wish.hardened:
        ciphers = ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com"]
        os.makedirs("/etc/ssh/sshd_config.d", exist_ok=True)
        write("/etc/ssh/sshd_config.d/bbb-hardening.conf", f"Ciphers {','.join(ciphers)}\n")
        run("systemctl", "restart", "ssh")


def utf8():
    language = [line for line in output("systemctl", "show-environment").splitlines() if "LANG=" in line]
    if not any("UTF-8" in line for line in language):
        run("systemctl", "set-environment", "LANG=C.UTF-8")
