import { check } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  host.put("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet\n");
  host.fake("systemctl", "echo inactive");
  host.fake("nft");
});

afterEach(() => host.remove());

describe("IPv6", () => {
  const LO = "00000000000000000000000000000001 01 80 10 80       lo\n";
  const GLOBAL = "20010db8000000020000000000000001 02 40 00 80     eth0\n";
  const ipv6 = (role: string, address: string | null) =>
    check(host, "network_check", "check_ipv6", role, address);

  test("is well on lo and at the name's address", async () => {
    host.put("proc/net/if_inet6", LO + GLOBAL);
    expect(await ipv6("bbb", null)).toMatchObject({ verdict: "ok", answer: "on lo" });
    expect(await ipv6("turn", "2001:db8:0:2::1")).toMatchObject({ verdict: "ok" });
  });

  test("that is off is told with the file that switched it off, and how it comes back", async () => {
    host.put("proc/net/if_inet6", "");
    host.put("etc/sysctl.d/99-hardening.conf", "# by hand\nnet.ipv6.conf.all.disable_ipv6 = 1\n");
    expect(await ipv6("bbb", null)).toMatchObject({
      verdict: "FAIL",
      answer: "IPv6 is switched off on this host: BigBlueButton's services bind to ::1",
      remedy: expect.stringMatching(
        /^take disable_ipv6 out of \/etc\/sysctl.d\/99-hardening.conf; sysctl -w net.ipv6.conf.all.disable_ipv6=0 .*systemctl restart nginx freeswitch$/,
      ) as string,
    });
  });

  test("that the kernel was started without needs another start", async () => {
    host.put("proc/cmdline", "root=/dev/sda1 ipv6.disable=1\n");
    expect(await ipv6("turn", "2001:db8:0:2::1")).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringContaining("clients with IPv6 alone are led to 2001:db8:0:2::1") as string,
      remedy: expect.stringMatching(/^take ipv6.disable=1 out of \/etc\/default\/grub .*reboot/) as string,
    });
  });

  test("without the address that the name leads to is told by it", async () => {
    host.put("proc/net/if_inet6", LO);
    expect(await ipv6("turn", "2001:db8:0:2::1")).toMatchObject({
      verdict: "FAIL",
      answer: "2001:db8:0:2::1, which the name leads to, is on none of the interfaces",
    });
  });
});

describe("a firewall on the host itself", () => {
  const NEEDED = [
    { protocol: "tcp", from: 80, to: 80 },
    { protocol: "tcp", from: 443, to: 443 },
    { protocol: "udp", from: 16384, to: 32768 },
  ];
  const firewall = () => check(host, "network_check", "check_firewall", NEEDED);
  const ufw = (...rules: string[]) =>
    host.fake(
      "ufw",
      `cat <<'HERE'
Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp (OpenSSH)           ALLOW IN    Anywhere
${rules.join("\n")}
22/tcp (OpenSSH (v6))      ALLOW IN    Anywhere (v6)
HERE`,
    );

  test("there is none", async () => {
    expect(await firewall()).toMatchObject({ verdict: "ok", answer: "none on this host" });
    host.fake("ufw", "echo Status: inactive");
    expect(await firewall()).toMatchObject({ verdict: "ok", answer: "none on this host" });
  });

  test("ufw as the newest installers set it up lets all in", async () => {
    ufw("80,443/tcp (Nginx Full)    ALLOW IN    Anywhere", "16384:32768/udp            ALLOW IN    Anywhere");
    expect(await firewall()).toMatchObject({
      verdict: "ok",
      answer: "ufw lets in 80/tcp, 443/tcp, 16384:32768/udp",
    });
    ufw(
      "80                         ALLOW IN    Anywhere",
      "443                        ALLOW IN    Anywhere",
      "16384:24576/udp            ALLOW IN    Anywhere",
      "24577:32768/udp            ALLOW IN    Anywhere   # media",
    );
    expect(await firewall()).toMatchObject({ verdict: "ok" });
  });

  test.each([
    [["80,443/tcp                 ALLOW IN    Anywhere"], "16384:32768/udp", "ufw allow 16384:32768/udp"],
    [
      ["80/tcp                     ALLOW IN    Anywhere", "16384:24576/udp            ALLOW IN    Anywhere"],
      "443/tcp, 16384:32768/udp",
      "ufw allow 443/tcp; ufw allow 16384:32768/udp",
    ],
    [
      [
        "80,443/tcp                 ALLOW IN    192.0.2.0/24",
        "16384:32768/udp            DENY IN     Anywhere",
      ],
      "80/tcp, 443/tcp, 16384:32768/udp",
      "ufw allow 80/tcp; ufw allow 443/tcp; ufw allow 16384:32768/udp",
    ],
  ])("ufw with %j stops %s", async (rules, stopped, remedy) => {
    ufw(...rules);
    expect(await firewall()).toMatchObject({
      verdict: "FAIL",
      answer: `ufw on this host stops ${stopped}`,
      remedy,
    });
  });

  test("others are named, but for the deployment's own and those that let all in", async () => {
    host.fake(
      "nft",
      `cat <<'HERE'
table inet bbb_relay_guard {
	chain input_ipv4 {
		type filter hook input priority -10; policy accept;
		udp dport 3478 counter packets 0 bytes 0 drop
	}
}
table ip filter {
	chain DOCKER-USER {
		counter packets 0 bytes 0 drop
	}
	chain INPUT {
		type filter hook input priority filter; policy accept;
		counter accept
	}
}
table inet school {
	chain in {
		type filter hook input priority filter; policy drop;
	}
}
HERE`,
    );
    expect(await firewall()).toMatchObject({
      verdict: "ok",
      answer: expect.stringMatching(/^nftables' table inet school: whether it lets all in/) as string,
    });
    host.fake("systemctl", "echo active");
    expect((await firewall()).answer).toMatch(/^firewalld: /);
  });
});
