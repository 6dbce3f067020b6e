import type { CommandTable } from "./actions";
import { addressWithin } from "./addresses";
import { invalidField, notFound } from "./errors";
import type { PrimaryIp } from "./model";
import { hostName, object, text } from "./schemas";
import { remove } from "./store";

/** Body of change_dns_ptr, for servers and primary IPs. */
export interface DnsPtrChange {
  readonly ip: string;
  readonly dns_ptr: string | null;
}

export const dnsPtrSchema = object(
  { ip: text, dns_ptr: { type: ["string", "null"], maxLength: 253 } },
  "ip",
  "dns_ptr",
);

/** Reverse name of an IPv4 address until a user sets one; IPv6 addresses have none. */
function defaultName(ipv4: string): string {
  return `static.${ipv4.split(".").reverse().join(".")}.clients.your-server.de`;
}

/** All reverse entries of a primary IP, in the API's form. */
export function renderDnsPtr(primaryIp: PrimaryIp): { ip: string; dns_ptr: string }[] {
  if (primaryIp.type === "ipv4") {
    const { ip } = primaryIp;
    return [{ ip, dns_ptr: primaryIp.reverseNames[ip] ?? defaultName(ip) }];
  }
  return Object.entries(primaryIp.reverseNames).map(([ip, name]) => ({ ip, dns_ptr: name }));
}

/** Checks a change and brings its address into canonical form. */
export function readDnsPtrChange(primaryIp: PrimaryIp, change: DnsPtrChange): DnsPtrChange {
  if (change.dns_ptr !== null && !new RegExp(hostName.pattern).test(change.dns_ptr.replace(/\.$/, ""))) {
    throw invalidField("dns_ptr", `'${change.dns_ptr}' is not a host name`);
  }
  return { ip: addressWithin(primaryIp, change.ip), dns_ptr: change.dns_ptr };
}

export const reverseDnsCommands: CommandTable = {
  change_dns_ptr: {
    locks: false,
    async perform({ store, runtime }, action) {
      const { ip, dns_ptr: name } = action.params["change"] as DnsPtrChange;
      const id = action.params["primaryIp"] as number;
      store.change((state) => {
        const primaryIp = state.primaryIps[id];
        if (!primaryIp) throw notFound("primary IP", id);
        if (name === null) remove(primaryIp.reverseNames, ip);
        else primaryIp.reverseNames[ip] = name;
      });
      await runtime.setReverseDns(ip, name ?? undefined);
    },
  },
};
