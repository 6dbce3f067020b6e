"""nginx's site, and the certificate."""

import os
import pkgutil
import re

import media
import packages
from release import IS_4
from shell import Refusal, edit, read, run, write

SITE = "/etc/nginx/sites-available/bigbluebutton"
RECORDINGS = "/usr/local/bigbluebutton/core/scripts/bigbluebutton.yml"
FRONT = "/usr/share/bigbluebutton/nginx/default-fe.nginx"
WEB_ROOT = "/var/www/bigbluebutton-default/assets/"


def rendered(name, host):
    text = (pkgutil.get_data("site_tls", f"templates/{name}") or b"").decode()
    return text.replace("%HOST%", host or "").replace("%HTTP2%", "" if IS_4 else " http2")


def with_tls(properties):
    return re.sub(r"^(bigbluebutton\.web\.serverURL)=http:", r"\1=https:", properties, flags=re.MULTILINE)


def install(wish, host):
    if (wish.host or "") not in read(RECORDINGS):
        run("bbb-conf", "--setip", wish.host)
    os.makedirs("/etc/nginx/ssl", exist_ok=True)
    if not wish.own_certificate:
        run("apt-get", "update")
        packages.need("certbot")
    directory = f"/etc/letsencrypt/live/{wish.host}"
    if not os.path.isfile(f"{directory}/fullchain.pem"):
        obtain(wish, directory)

    write(SITE, rendered("site.nginx", wish.host))
    if not os.path.isfile(FRONT) and not os.path.isfile(f"{FRONT}.disabled"):
        write(FRONT, rendered("default-fe.nginx", wish.host))
    media.bind(host)
    for path in (packages.WEB, "/etc/bigbluebutton/bbb-web.properties"):
        if os.path.isfile(path):
            edit(path, with_tls)
    media.yq(RECORDINGS, '.playback_protocol = "https"')
    run("chmod", "644", RECORDINGS)
    media.set_sfu(host)
    run("systemctl", "reload", "nginx")


def obtain(wish, directory):
    if (wish.host or "") not in read(SITE):
        write(SITE, rendered("challenge.nginx", wish.host))
        run("systemctl", "restart", "nginx")
    if wish.own_certificate:
        os.makedirs(directory, exist_ok=True)
        for name in ("fullchain.pem", "privkey.pem"):
            run("ln", "-s", f"/local/certs/{name}", f"{directory}/{name}")
        return
    way = ["--manual", "--preferred-challenges", "dns"] if wish.by_dns else ["--webroot", "--non-interactive"]
    account = ["--email", wish.email, "--agree-tos", "--rsa-key-size", "4096"]
    wanted = ["-w", WEB_ROOT, "-d", wish.host, "--deploy-hook", "systemctl reload nginx"]
    if run("certbot", *account, *wanted, *way, "certonly") != 0:
        run("systemctl", "restart", "nginx")
        raise Refusal(f"Let's Encrypt SSL request for {wish.host} did not succeed - exiting")
