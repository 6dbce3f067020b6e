import { canonicalAddress, publicAddressProblem } from "../formats/addresses";
import { removeCommand, setCommand } from "../remedies";
import { list, must, textThat, type Fields } from "./field";

export const turn = {
  turnPeers: {
    type: "array",
    default: [],
    description:
      "Public addresses of BigBlueButton servers of other stacks that this stack's TURN server also serves.",
    schema: list("turnPeers", "addresses", "ADDRESS")
      .superRefine(
        must((peers) =>
          peers.map((peer, i) => {
            const problem = publicAddressProblem(peer);
            const again = peers.findIndex((other) => canonicalAddress(other) === canonicalAddress(peer)) < i;
            return problem || again ? `has "${peer}", which ${problem ?? "is there already"}` : undefined;
          }),
        ),
      )
      .transform((peers) => peers.map(canonicalAddress)),
    remedy: `${setCommand("--path 'turnPeers[0]'", "ADDRESS")}, with the addresses.bbb.ipv4 that the other stack's outputs tell`,
  },
  turnStack: {
    type: "string",
    description:
      "Name of the stack of this project whose TURN server to use instead of making one. Its turnPeers must have this BigBlueButton server's address.",
    schema: textThat((value) =>
      /^[\w.-]{1,100}$/.test(value) ? undefined : `"${value}" is not the name of a stack of this project`,
    ),
    remedy: `${removeCommand("turnStack")}, for a TURN server of its own`,
  },
} as const satisfies Fields;
