import type { KeyPairInfo } from "@aws-sdk/client-ec2";

import type { Context, Created, Kind } from "../../driver";
import type { Values } from "../../wire";
import { assertOurs } from "./adoption";
import { session } from "./client";
import { unlessGone } from "./errors";
import { retag, tagMap, tagsOf, tagSpecifications } from "./tags";
import { text } from "./values";

async function read(name: string, context: Context): Promise<KeyPairInfo | undefined> {
  const { ec2 } = await session(context);
  const answer = await unlessGone(() => ec2.describeKeyPairs({ KeyNames: [name] }));
  return answer?.KeyPairs?.[0];
}

async function created(inputs: Values, context: Context): Promise<Created> {
  const name = String(inputs.keyName);
  const found = await read(name, context);
  return { id: name, outputs: { ...inputs, keyPairId: found?.KeyPairId ?? "" } };
}

export const keyPair: Kind = {
  keys: ["keyName", "publicKey", "tags"],
  replaceKeys: ["keyName", "publicKey"],
  deleteBeforeReplace: true,
  create: async (inputs, context) => {
    const { ec2 } = await session(context);
    await ec2.importKeyPair({
      KeyName: text(inputs.keyName),
      PublicKeyMaterial: Buffer.from(String(inputs.publicKey).trim()),
      TagSpecifications: tagSpecifications("key-pair", tagsOf(inputs)),
    });
    return created(inputs, context);
  },
  update: async ({ inputs: old, outputs }, inputs, context) => {
    await retag(String(outputs.keyPairId), tagsOf(old), tagsOf(inputs), context);
    return (await created(inputs, context)).outputs;
  },
  delete: async ({ id }, context) => {
    const { ec2 } = await session(context);
    await unlessGone(() => ec2.deleteKeyPair({ KeyName: id }));
  },
  read: async ({ id }, context) => ((await read(id, context)) === undefined ? undefined : {}),
  adopt: async (inputs, context) => {
    const name = String(inputs.keyName);
    const found = await read(name, context);
    if (found === undefined) return undefined;
    const command = `aws ec2 delete-key-pair --key-name ${name}`;
    assertOurs(tagMap(found.Tags), inputs, `key pair "${name}"`, command);
    return created(inputs, context);
  },
};
