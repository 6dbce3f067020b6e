/** The providers that the embedded engine has, by package. */
import type { Driver } from "../driver";
import { command } from "./command";
import { hcloud } from "./hcloud";
import { random } from "./random";
import { tls } from "./tls";

export const drivers: Readonly<Record<string, Driver>> = { command, hcloud, random, tls };
