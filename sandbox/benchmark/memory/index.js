/** Preloaded into the program by pool.ts: adds the most memory that it had, in KiB, to a file. */
const { appendFileSync } = require("node:fs");

const { BBB_BENCHMARK_MEMORY: file } = process.env;
// The engine's own process is not the program.
if (file !== undefined && /@pulumi\/pulumi\/cmd\/run\b/.test(process.argv[1] ?? "")) {
  process.on("exit", () => appendFileSync(file, `${process.resourceUsage().maxRSS}\n`));
}
