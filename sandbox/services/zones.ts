import { Resolver } from "node:dns/promises";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { SERVICE_ZONE, SERVICES } from "../network/addresses";
import { omit, readJson, writeAtomically, writeJson } from "../hosts/files";
import { waitUntil } from "../hosts/processes";
import { ZONES_DIR } from "../paths";
import type { ZoneRecord } from "../runtime";
import { type Bind, renderAuthoritative } from "./named";
import { delegation, glue, renderZone, reverseName, ROOT_SERVER, serviceRecords } from "./zoneFile";

/** Zones of reverse names: the documentation ranges of the addresses of hosts and services. */
const REVERSE_ZONES = [
  "113.0.203.in-addr.arpa",
  "100.51.198.in-addr.arpa",
  "2.0.192.in-addr.arpa",
  "8.b.d.0.1.0.0.2.ip6.arpa",
] as const;

const PUBLISH_MS = 10_000;

interface Published {
  readonly serial: number;
  readonly zones: Readonly<Record<string, readonly ZoneRecord[]>>;
  readonly reverse: Readonly<Record<string, string>>;
  /** Published zones without a delegation by their parent. */
  readonly undelegated?: readonly string[];
}

const ZONES_FILE = join(ZONES_DIR, "zones.json");

/** Zones of the last publication, by name. */
export function readZones(): Readonly<Record<string, readonly ZoneRecord[]>> {
  return readJson<Published>(ZONES_FILE)?.zones ?? {};
}

/** Publisher of the sandbox's two authoritative servers: the root with its delegations, and everything below. */
export class Zones {
  private published: Published = readJson<Published>(ZONES_FILE) ?? { serial: 1, zones: {}, reverse: {} };
  private turn: Promise<unknown> = Promise.resolve();

  /**
   * @param directory Configuration directory of the servers, on this machine.
   * @param reload Makes both servers read their files again.
   * @param bind Properties of the servers' version.
   */
  constructor(
    private readonly directory: string,
    private readonly reload: () => void,
    private readonly bind: Bind,
  ) {}

  set(name: string, records: readonly ZoneRecord[]): Promise<void> {
    return this.change((now) => ({ ...now, zones: { ...now.zones, [name]: records } }));
  }

  delete(name: string): Promise<void> {
    return this.change((now) => ({ ...now, zones: omit(now.zones, name) }));
  }

  setReverse(address: string, name: string | undefined): Promise<void> {
    return this.change(({ reverse, ...rest }) => ({
      ...rest,
      reverse: name === undefined ? omit(reverse, address) : { ...reverse, [address]: name },
    }));
  }

  /** Sets whether the zone's parent delegates to it. @default true */
  delegate(name: string, delegated: boolean): Promise<void> {
    return this.change((now) => {
      const others = (now.undelegated ?? []).filter((zone) => zone !== name);
      return { ...now, undelegated: delegated ? others : [...others, name] };
    });
  }

  /** Writes all files of the servers; for their start. */
  write(): void {
    const { serial, zones, undelegated = [] } = this.published;
    const put = (file: string, text: string): void => writeAtomically(join(this.directory, file), text);
    const all = { [SERVICE_ZONE]: serviceRecords(), ...this.reverseZones(), ...zones };
    const names = Object.keys(all);
    const delegated = names.filter((name) => !undelegated.includes(name));
    const inTest = delegated.filter((name) => name.endsWith(".test"));
    const elsewhere = delegated.filter((name) => !name.endsWith(".test"));
    for (const [name, records] of Object.entries(all)) put(`zone-${name}`, renderZone(name, serial, records));
    const top = (name: string, children: readonly string[], also: readonly ZoneRecord[] = []): string =>
      renderZone(name, serial, [...children.flatMap(delegation), ...also], [ROOT_SERVER]);
    const own = { name: "test.", type: "NS", ttl: 60, value: ROOT_SERVER };
    put("zone-test", top("test", inTest, glue()));
    put("zone-root", top(".", elsewhere, [own, ...glue()]));
    put(
      "root.conf",
      renderAuthoritative(
        SERVICES.rootDns,
        [
          { name: ".", file: "zone-root" },
          { name: "test", file: "zone-test" },
        ],
        this.bind,
      ),
    );
    put(
      "zones.conf",
      renderAuthoritative(
        SERVICES.zoneDns,
        names.map((name) => ({ name, file: `zone-${name}` })),
        this.bind,
      ),
    );
  }

  private reverseZones(): Record<string, ZoneRecord[]> {
    const pointers = Object.entries(this.published.reverse).map(([address, name]) => ({
      name: `${reverseName(address)}.`,
      type: "PTR",
      ttl: 60,
      value: `${name.replace(/\.$/, "")}.`,
    }));
    return Object.fromEntries(
      REVERSE_ZONES.map((zone) => [zone, pointers.filter(({ name }) => name.endsWith(`.${zone}.`))]),
    );
  }

  /** Changes the state; resolves when the servers answer from it. */
  private change(edit: (now: Published) => Published): Promise<void> {
    const done = this.turn.then(async () => {
      const before = Object.keys(this.published.zones);
      const edited = edit(this.published);
      this.published = { ...edited, serial: edited.serial + 1 };
      writeJson(ZONES_FILE, this.published);
      this.write();
      for (const name of before.filter((zone) => !(zone in this.published.zones))) {
        rmSync(join(this.directory, `zone-${name}`), { force: true });
      }
      this.reload();
      await this.served();
    });
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** Resolves when the servers answer from the last written files. */
  async served(): Promise<void> {
    const expected = [
      [SERVICES.rootDns, "test"],
      ...[SERVICE_ZONE, ...REVERSE_ZONES, ...Object.keys(this.published.zones)].map((zone) => [
        SERVICES.zoneDns,
        zone,
      ]),
    ] as [string, string][];
    for (const [server, zone] of expected) {
      const resolver = new Resolver({ timeout: 500, tries: 1 });
      resolver.setServers([server]);
      const serves = async (): Promise<boolean> =>
        resolver.resolveSoa(zone).then(
          ({ serial }) => serial === this.published.serial,
          () => false,
        );
      if (!(await waitUntil(serves, PUBLISH_MS))) {
        throw new Error(`zone ${zone}: the name server at ${server} does not take it`);
      }
    }
  }
}
