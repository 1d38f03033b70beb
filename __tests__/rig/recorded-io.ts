/** An `Io` whose streams lead to a terminal, a runner's log or a pipe that the test reads, through the filters of the real ones. */
import type { Io } from "../../src/core/io.ts";
import { outputOn } from "../../src/platform/output.ts";
import { outputSecrets } from "../../src/platform/output-secrets.ts";

export type Destination = "terminal" | "runner" | "pipe";

export interface RecordedIo {
  readonly io: Io;
  /** The bytes that reached the destination so far. */
  readonly stdout: () => Buffer;
  readonly stderr: () => Buffer;
}

export function recordedIo(destination: Destination, cwd: string, env: Io["env"] = {}): RecordedIo {
  const joined = { text: "" };
  const secrets = outputSecrets();
  const stream = () => {
    const chunks: Buffer[] = [];
    const isTerminal = destination === "terminal";
    const output = outputOn({
      ...{ isTerminal, isRunner: destination === "runner", color: isTerminal, columns: 100, rows: 30, joined, redact: secrets.text },
      write: (data) => chunks.push(Buffer.from(data)),
    });
    return { output, bytes: () => Buffer.concat(chunks) };
  };
  const [stdout, stderr] = [stream(), stream()];
  const variables = {
    ...{ PATH: process.env["PATH"], HOME: process.env["HOME"], LANG: "C.UTF-8" },
    ...(destination === "runner" ? { GITHUB_ACTIONS: "true", CI: "true" } : {}),
    ...env,
  };
  return {
    io: {
      ...{ cwd, env: variables, stdout: stdout.output, stderr: stderr.output },
      readStdin: async () => "",
      signal: new AbortController().signal,
      secrets,
    },
    stdout: stdout.bytes,
    stderr: stderr.bytes,
  };
}
