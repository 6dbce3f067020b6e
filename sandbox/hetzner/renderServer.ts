import { serverTypes } from "./catalogue";
import type { Cloud } from "./cloud";
import type { PrimaryIp, Server, State } from "./model";
import { firewallsOf, primaryIpOf } from "./published";
import { includedTraffic, renderLocation, renderServerType } from "./renderCatalogue";
import { renderImage } from "./renderImage";
import { renderDnsPtr } from "./reverseDns";

type Json = Record<string, unknown>;

/** Hetzner's JSON of a server. */
export function renderServer(cloud: Cloud, server: Server): Json {
  const { store, actions } = cloud;
  const { state } = store;
  const type = serverTypes.find(({ name }) => name === server.serverType);
  if (!type) throw new Error(`server ${server.id} has type ${server.serverType}, which the catalogue lacks`);
  const volumes = Object.values(state.volumes).filter((volume) => volume.server === server.id);
  return {
    id: server.id,
    name: server.name,
    status: server.status,
    created: server.created,
    public_net: {
      ipv4: renderIpv4(primaryIpOf(state, server.id, "ipv4")),
      ipv6: renderIpv6(primaryIpOf(state, server.id, "ipv6")),
      floating_ips: [],
      firewalls: firewallsOf(state, server.id).map(({ id }) => ({
        id,
        status: server.hostExists ? "applied" : "pending",
      })),
    },
    private_net: [],
    server_type: renderServerType(type),
    location: renderLocation(server.location),
    image: renderImage(cloud, server.image),
    iso: null,
    rescue_enabled: false,
    locked: actions.isLocked(state, { id: server.id, type: "server" }),
    backup_window: server.backups ? "22-02" : null,
    outgoing_traffic: 0,
    ingoing_traffic: 0,
    included_traffic: includedTraffic(server.location),
    protection: { delete: server.protected, rebuild: server.protected },
    labels: server.labels,
    volumes: volumes.map(({ id }) => id),
    load_balancers: [],
    primary_disk_size: server.primaryDiskSize,
    placement_group: renderGroup(state, server),
  };
}

function renderGroup(state: State, { placementGroup }: Server): Json | null {
  const group = state.placementGroups[placementGroup ?? 0];
  return group ? { id: group.id, name: group.name, type: "spread" } : null;
}

function renderIpv4(ip: PrimaryIp | undefined): Json | null {
  return ip ? { id: ip.id, ip: ip.ip, blocked: false, dns_ptr: renderDnsPtr(ip)[0]?.dns_ptr } : null;
}

function renderIpv6(ip: PrimaryIp | undefined): Json | null {
  return ip ? { id: ip.id, ip: ip.ip, blocked: false, dns_ptr: renderDnsPtr(ip) } : null;
}
