import type { Call } from "../call";
import type { Cloud } from "../cloud";
import type { Answer } from "../errors";

/** Carries out one operation where moto alone would not do as AWS does. */
export type Rule = (cloud: Cloud, call: Call) => Promise<Answer>;
