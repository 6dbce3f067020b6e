import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

import { named, ownerLabels, ownerName } from "../names";
import { awsTags, snapshotTag } from "./tags";

/** Arguments of {@link dailySnapshots}. */
export interface DailySnapshotsArgs {
  /** Number of snapshots that are kept of each volume. */
  readonly days: number;
  /** Project and stack, whose volumes have {@link snapshotTag}. */
  readonly labels: Readonly<Record<string, string>>;
}

const SERVICE = "dlm.amazonaws.com";

/** AWS's own policy with the rights that Data Lifecycle Manager needs for snapshots. */
const POLICY = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole";

/**
 * Makes Data Lifecycle Manager snapshot a deployment's volumes every night, at an hour of its choice after 02:00 UTC.
 * The snapshots are not resources of the deployment: they outlive it.
 */
export function dailySnapshots(
  { days, labels }: DailySnapshotsArgs,
  opts: pulumi.CustomResourceOptions,
): void {
  const tags = (what: string) =>
    awsTags({ name: `${ownerName(labels)} ${what}`, labels: { ...labels, role: "snapshots" } });

  const role = new aws.iam.Role(
    named("snapshots-role", labels),
    {
      description: "Lets Data Lifecycle Manager make and delete snapshots of volumes",
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: SERVICE } }],
      }),
      tags: tags("snapshots"),
    },
    opts,
  );
  const allowed = new aws.iam.RolePolicyAttachment(
    named("snapshots-policy", labels),
    { role: role.name, policyArn: POLICY },
    opts,
  );
  new aws.dlm.LifecyclePolicy(
    named("snapshots", labels),
    {
      // Letters, digits, spaces, _ and - are all that it takes.
      description: `Daily snapshots of ${Object.values(ownerLabels(labels)).join(" ")}`.replace(
        /[^\w -]/g,
        "-",
      ),
      executionRoleArn: role.arn,
      state: "ENABLED",
      policyDetails: {
        resourceTypes: ["VOLUME"],
        targetTags: snapshotTag(labels),
        schedules: [
          {
            name: "daily",
            createRule: { interval: 24, intervalUnit: "HOURS", times: "02:00" },
            retainRule: { count: days },
            copyTags: true,
          },
        ],
      },
      tags: tags("snapshots"),
    },
    { ...opts, dependsOn: [allowed] },
  );
}
