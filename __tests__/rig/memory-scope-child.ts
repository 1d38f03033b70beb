/** Children under limits that systemd keeps: run where systemd is the first process. Prints one JSON object a line. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import type { MemoryGroup } from "../../src/platform/memory-group.ts";
import { openMemoryScope, type ProbedMethod, type ScopeMethod, tryScopes } from "../../src/platform/memory-scope.ts";

const limit = 64 * 1024 ** 2;
const hungry = [process.execPath, "-e", "const held = []; for (;;) held.push(Buffer.alloc(4e6, 1))"];

async function run(group: MemoryGroup, command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [program = "", ...words] = group.entering(command);
  const child = spawn(program, words, { env: { PATH: "/usr/bin:/bin", ...env }, stdio: ["ignore", "pipe", "inherit"], detached: true });
  let printed = "";
  child.stdout?.on("data", (chunk) => {
    printed += chunk;
  });
  const closed = once(child, "close");
  const [code, signal] = await once(child, "exit");
  const usage = group.usage();
  // What stays in the scope holds none of the child's pipes.
  await closed;
  return { code, signal, printed, ...usage };
}

/** Whether the scope is gone a while after it was closed. */
async function gone({ place }: ProbedMethod, ordinal: number): Promise<boolean> {
  const directory = path.join(place.directory, `wave-${process.pid}-${ordinal}.scope`);
  for (let tries = 0; tries < 100 && existsSync(directory); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  return !existsSync(directory);
}

async function tell(name: string, method: ScopeMethod): Promise<void> {
  const probed = tryScopes(method);
  if (probed === undefined) return void console.log(JSON.stringify({ name, way: null }));
  const ordinal = Number(/-([0-9]+)\.scope/.exec(openMemoryScope(limit, probed)?.entering([]).join(" ") ?? "")?.[1]);
  const [modest, greedy] = [openMemoryScope(limit, probed), openMemoryScope(limit, probed)];
  if (modest === undefined || greedy === undefined) throw new Error("no scope");
  const well = await run(modest, ["/bin/sh", "-c", 'echo "$KEPT,$XDG_RUNTIME_DIR"; exit 7'], { KEPT: "kept" });
  modest.close();
  const badly = await run(greedy, hungry);
  greedy.close();
  const left = [await gone(probed, ordinal + 1), await gone(probed, ordinal + 2)];
  console.log(JSON.stringify({ name, version: probed.place.version, well, badly, gone: left }));
}

await tell("as root", { command: ["systemd-run"], env: {} });
await tell("by variables that a child does not see", { command: ["systemd-run"], env: { XDG_RUNTIME_DIR: "/run" } });
await tell("moved by somebody else", { command: ["systemd-run"], env: {}, sudo: ["/usr/bin/env"] });
await tell("by nobody", { command: ["no-such-program"], env: {} });
