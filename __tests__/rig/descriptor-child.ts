/** A process that starts a child and prints one line for each file descriptor which that child has: `NUMBER WHAT`. */
import { spawnChild } from "../../src/platform/child-process.ts";

let printed = "";
const outcome = await spawnChild({
  command: 'for d in /proc/$$/fd/*; do echo "${d##*/} $(readlink "$d")"; done',
  cwd: "/",
  env: { PATH: process.env["PATH"] ?? "" },
  timeoutMs: 30_000,
  signal: new AbortController().signal,
  onOutput: (chunk) => {
    printed += Buffer.from(chunk).toString();
  },
});
process.stdout.write(outcome.kind === "exited" ? printed : `${JSON.stringify(outcome)}\n`);
