import { sshPublicKeyProblem } from "../formats/sshPublicKey";
import { setCommand, textOf } from "../remedies";
import { list, must, type Fields } from "./field";
import { networks } from "./networks";

const OWN_KEY = textOf("~/.ssh/id_ed25519.pub");

export const access = {
  sshNetworks: {
    type: "array",
    required: true,
    description:
      'The networks that may reach SSH, in CIDR form, e.g. ["198.51.100.7/32"]. Yours must be among them, as the deployment works over SSH.',
    schema: networks("sshNetworks"),
    remedy: `${setCommand("--path 'sshNetworks[0]'", "YOUR-ADDRESS/32")}; without any, nobody could reach SSH`,
  },
  sshPublicKeys: {
    type: "array",
    default: [],
    description:
      "Public keys of people who may log in, as in authorized_keys, beside the key that the deployment generates for itself.",
    schema: list("sshPublicKeys", "public keys", OWN_KEY).superRefine(
      must((keys) =>
        keys.map((key, i) => {
          const problem = sshPublicKeyProblem(key);
          return problem && `has key number ${i + 1}, which ${problem}`;
        }),
      ),
    ),
    remedy: setCommand("--path 'sshPublicKeys[0]'", OWN_KEY),
  },
} as const satisfies Fields;
