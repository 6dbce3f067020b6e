import { deploy } from "./components/deployment";
import { loadSettings } from "./settings/configuration";

// The SDK formats a stack for each property of each resource. Three lines tell where an error comes from, too.
Error.stackTraceLimit = 3;

/** Reads the stack's settings and returns its outputs: components/deployment.ts has the whole deployment on a page. */
export = async () => (await deploy(loadSettings())).outputs;
