import { z } from "zod";

import { rootsProblem } from "../formats/certificates";
import { meantName } from "../formats/names";
import { setCommand, setFromFile } from "../remedies";
import { isUrl, textThat, type Fields } from "./field";

/** Path of a file. Never the file's own text: a key must not be in the settings. */
const pemFile = textThat((value) =>
  /-----BEGIN|[\0\n]/.test(value) ? "must be the path of a file, not what is in it" : undefined,
);

export const certificates = {
  email: {
    type: "string",
    required: true,
    example: "YOUR-ADDRESS",
    description: "Address of the account at the certificate authority, whose terms are accepted with it.",
    schema: textThat((value) => {
      if (value === "info@example.com") {
        return "is info@example.com, the placeholder in BigBlueButton's docs that its installer refuses";
      }
      if (z.email().safeParse(value).success) return undefined;
      const [, mailbox, host] = /^([^@\s]+)@([^@\s]+)$/.exec(value) ?? [];
      const meant = host && meantName(host);
      if (!meant || !z.email().safeParse(`${mailbox}@${meant}`).success) {
        return `"${value}" is not an e-mail address`;
      }
      const reason = `"${value}" is not an e-mail address in ASCII, as the certificate authority wants it`;
      return { reason, remedy: setCommand("email", `${mailbox}@${meant}`) };
    }),
  },
  acmeServer: {
    type: "string",
    default: "production",
    example: "production",
    description:
      "The certificate authority: production or staging (Let's Encrypt's), or the https URL of another ACME directory. Only production's certificates are trusted by browsers.",
    schema: textThat((value) =>
      ["production", "staging"].includes(value) || isUrl(value, "https:")
        ? undefined
        : `"${value}" is neither production, staging nor an https URL`,
    ),
  },
  acmeCa: {
    type: "string",
    description:
      "Root certificates (PEM) of a private certificate authority; both servers come to trust them. From standard input, pulumi config set acmeCa < roots.pem: as an argument it begins with dashes, and needs -- before it.",
    schema: textThat(rootsProblem),
    remedy: setFromFile("acmeCa", "roots.pem"),
  },
  certificateFile: {
    type: "string",
    example: "PATH/fullchain.pem",
    description:
      "Path, on the machine that deploys, of a PEM file with a certificate of your own instead of the authority's, and its intermediates. A certificate that is also for the TURN server's name, e.g. a wildcard, is used there also.",
    schema: pemFile,
  },
  certificateKeyFile: {
    type: "string",
    example: "PATH/privkey.pem",
    description:
      "Path of the PEM file with its private key, which must not be encrypted. The key itself is in no setting; it is read at each update and goes to the servers only.",
    schema: pemFile,
  },
  turnCertificateFile: {
    type: "string",
    example: "PATH/fullchain.pem",
    description: "Path of the TURN server's own certificate, like certificateFile.",
    schema: pemFile,
  },
  turnCertificateKeyFile: {
    type: "string",
    example: "PATH/privkey.pem",
    description: "Path of the TURN server's own private key, like certificateKeyFile.",
    schema: pemFile,
  },
} as const satisfies Fields;
