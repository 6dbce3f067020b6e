/** Part of @pulumi/hcloud 1.41 (terraform-provider-hcloud 1.68) that the program uses; requests as recorded. */
import type { Driver } from "../../driver";
import { primaryIp, rdns } from "./addresses";
import { firewall } from "./firewalls";
import { lookups } from "./lookups";
import { placementGroup } from "./placementGroups";
import { server } from "./servers";
import { sshKey } from "./sshKeys";
import { storageBox } from "./storageBoxes";
import { volume, volumeAttachment } from "./volumes";
import { zoneRrset } from "./zones";

export const hcloud: Driver = {
  version: "1.41.0",
  kinds: {
    "hcloud:index/firewall:Firewall": firewall,
    "hcloud:index/placementGroup:PlacementGroup": placementGroup,
    "hcloud:index/primaryIp:PrimaryIp": primaryIp,
    "hcloud:index/rdns:Rdns": rdns,
    "hcloud:index/server:Server": server,
    "hcloud:index/sshKey:SshKey": sshKey,
    "hcloud:index/storageBox:StorageBox": storageBox,
    "hcloud:index/volume:Volume": volume,
    "hcloud:index/volumeAttachment:VolumeAttachment": volumeAttachment,
    "hcloud:index/zoneRrset:ZoneRrset": zoneRrset,
  },
  invokes: lookups,
};
