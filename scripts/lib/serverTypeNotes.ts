import type { CloudName } from "../../bigbluebutton/capacity";

/** Requirements of a server type on each cloud, for the documentation. */
export const typeNotes: Readonly<
  Record<CloudName, { readonly text: string; readonly sources: readonly string[] }>
> = {
  hetzner: {
    text: "The types of `ccx` have virtual CPUs of their own, those of `cx` and `cpx` share theirs.",
    sources: ["https://docs.hetzner.com/cloud/servers/overview/"],
  },
  aws: {
    text:
      "A virtual CPU of `c7a` is a core; of `c7i`, `c6i`, `c6a` and `c5a` two are threads of one, so that 8 cores are " +
      "their `4xlarge`. `m7a.2xlarge` is for those who want 32 GB. Burstable types (`t2`, `t3`, `t3a`) and `-flex` ones " +
      "lend their cores, and `prod` refuses them; ARM (`…g`) has no packages; types from before Nitro (`c4`, `m4`) lack " +
      "lasting names of volumes.",
    sources: [
      "https://aws.amazon.com/ec2/instance-types/c7a/",
      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cpu-options-supported-instances-values.html",
      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances.html",
    ],
  },
};
