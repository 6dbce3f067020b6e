/** Providers of the embedded engine, by package. */
import type { Driver } from "../driver";
import { aws } from "./aws";
import { command } from "./command";
import { hcloud } from "./hcloud";
import { random } from "./random";
import { tls } from "./tls";

export const drivers: Readonly<Record<string, Driver>> = { aws, command, hcloud, random, tls };
