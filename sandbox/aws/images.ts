/** Canonical's images as EC2 lists them: the right one has to be picked from among its siblings. */

/** The account that Canonical publishes under. */
const CANONICAL = "099720109477";

interface Image {
  readonly ami_id: string;
  readonly name: string;
  readonly description: string;
  readonly owner_id: string;
  readonly public: true;
  readonly virtualization_type: "hvm";
  readonly architecture: "x86_64" | "arm64";
  readonly state: "available";
  readonly platform: null;
  readonly image_type: "machine";
  readonly image_location: string;
  readonly hypervisor: "xen";
  readonly root_device_name: "/dev/sda1";
  readonly root_device_type: "ebs";
  readonly sriov: "simple";
  readonly creation_date: string;
}

const SERIALS = ["20260612", "20260828", "20261014"] as const;

/** Name of an image up to its serial, by Ubuntu release and kind. */
const SERIES = [
  {
    kind: "1",
    prefix: "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server",
    title: "Ubuntu, 22.04 LTS, amd64 jammy image",
  },
  {
    kind: "2",
    prefix: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server",
    title: "Ubuntu, 24.04, amd64 noble image",
  },
  {
    kind: "3",
    prefix: "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server",
    title: "Ubuntu, 22.04 LTS, arm64 jammy image",
  },
  {
    kind: "4",
    prefix: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server",
    title: "Ubuntu, 24.04, arm64 noble image",
  },
  {
    kind: "5",
    prefix: "ubuntu-minimal/images/hvm-ssd/ubuntu-jammy-22.04-amd64-minimal",
    title: "Ubuntu Minimal, 22.04 LTS, amd64 jammy image",
  },
  {
    kind: "6",
    prefix: "ubuntu-minimal/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-minimal",
    title: "Ubuntu Minimal, 24.04, amd64 noble image",
  },
  {
    kind: "7",
    prefix: "ubuntu-pro-server/images/hvm-ssd/ubuntu-jammy-22.04-amd64-pro-server",
    title: "Ubuntu Pro, 22.04 LTS, amd64 jammy image",
  },
  {
    kind: "8",
    prefix: "ubuntu-pro-server/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-pro-server",
    title: "Ubuntu Pro, 24.04, amd64 noble image",
  },
] as const;

/** Renders the images for moto (MOTO_AMIS_PATH). Their ids are the sandbox's own. */
export function renderImages(): string {
  const images = SERIES.flatMap(({ kind, prefix, title }) =>
    SERIALS.map((serial): Image => {
      const name = `${prefix}-${serial}`;
      return {
        ami_id: `ami-0${kind}${serial}0000000`,
        name,
        description: `Canonical, ${title}`,
        owner_id: CANONICAL,
        public: true,
        virtualization_type: "hvm",
        architecture: prefix.includes("-arm64-") ? "arm64" : "x86_64",
        state: "available",
        platform: null,
        image_type: "machine",
        image_location: `${CANONICAL}/${name}`,
        hypervisor: "xen",
        root_device_name: "/dev/sda1",
        root_device_type: "ebs",
        sriov: "simple",
        creation_date: `${serial.slice(0, 4)}-${serial.slice(4, 6)}-${serial.slice(6)}T08:00:00.000Z`,
      };
    }),
  );
  return `${JSON.stringify(images, null, 1)}\n`;
}

/** Ubuntu release of one of Canonical's images, by the image's name. */
export function ubuntuOf(imageName: string): string | undefined {
  return /\/ubuntu-[a-z]+-(\d\d\.\d\d)-/.exec(imageName)?.[1];
}
