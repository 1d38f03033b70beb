/**
 * Runs the clean commands of git filters for patches. Anyone who wrote to the repository may have chosen such a command,
 * so it runs only in the sandbox: without network and secrets, with its own `HOME`, and the project read-only. Without a
 * sandbox, none runs.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { defaultFileBytes } from "../changeset/read-entry.ts";
import { removeTree } from "../changeset/remove-tree.ts";
import type { CleanFilter } from "../changeset/stored-form.ts";
import { childEnvironment } from "../sandbox/child-environment.ts";
import { type Isolation, type IsolationRequest, probeIsolation } from "../sandbox/isolation.ts";
import { launchInView } from "../sandbox/launch.ts";

/** Timeout for one file, in milliseconds. */
const limitMs = 60_000;

export interface SandboxedFilter {
  readonly clean: CleanFilter;
  /** Removes temporary files. */
  close(): Promise<void>;
}

/** Probes the sandbox when the first filter runs. */
export function sandboxedFilter(request: IsolationRequest): SandboxedFilter {
  let directory: string | undefined;
  return {
    async clean(command, file, bytes) {
      const isolation = await probeIsolation(request);
      if (!isolation.sandbox.available) return undefined;
      directory ??= mkdtempSync(path.join(tmpdir(), "wave-filter-"));
      return run({ ...request, isolation, directory }, commandFor(command, file), bytes);
    },
    close: async () => void (directory === undefined ? undefined : await removeTree(directory)),
  };
}

interface Setting extends IsolationRequest {
  readonly isolation: Isolation;
  readonly directory: string;
}

async function run(
  { isolation, directory, root, stateDir, env }: Setting,
  command: string,
  bytes: Uint8Array,
): Promise<Uint8Array | undefined> {
  const home = path.join(directory, "home");
  mkdirSync(home, { recursive: true });
  const stdinFile = path.join(directory, "input");
  writeFileSync(stdinFile, bytes);
  const output: Buffer[] = [];
  let size = 0;
  const stop = new AbortController();
  const outcome = await launchInView({
    isolation,
    view: {
      sandbox: "closed",
      project: root,
      tree: { kind: "directory", source: root },
      binds: [{ source: home, target: home, writable: true }],
      masks: [stateDir],
      readOnly: [root],
      network: { kind: "none" },
    },
    child: {
      command,
      env: childEnvironment(env, { home, temp: home }),
      stdinFile,
      timeoutMs: limitMs,
      signal: stop.signal,
      onOutput(chunk, stream) {
        if (stream !== "stdout") return;
        size += chunk.length;
        if (size > defaultFileBytes) stop.abort();
        else output.push(Buffer.from(chunk));
      },
    },
    scratch: directory,
  });
  return outcome.kind === "exited" && outcome.code === 0 ? Buffer.concat(output) : undefined;
}

/** `%f` is the file's path, quoted for a shell (gitattributes(5), "filter"). */
function commandFor(command: string, file: string): string {
  return command.replaceAll(/%[%f]/g, (sign) => (sign === "%f" ? `'${file.replaceAll("'", "'\\''")}'` : "%"));
}
