/** Processes that run a TypeScript file of the rig: bundled once a test file, spawned as often as wanted. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

export interface Child {
  readonly child: ChildProcess;
  /** Lines of stdout so far. */
  readonly lines: () => readonly string[];
  /** Resolves once so many lines came; rejects when the process ends before. */
  readonly untilLines: (count: number) => Promise<void>;
  /** All lines, once the process has ended. */
  readonly ended: Promise<{ readonly lines: readonly string[]; readonly stderr: string }>;
}

export interface Fixture {
  readonly file: string;
  /** `shell`: a line for `sh` that goes before the program, such as a limit. */
  start(words: readonly string[], shell?: string): Child;
  /** Kills the children that still run, and takes the bundle away. */
  close(): void;
}

/** Bundles a file of the rig. */
export async function bundledChild(source: URL): Promise<Fixture> {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-child-"));
  const children = new Set<ChildProcess>();
  const root = path.resolve(import.meta.dirname, "../..");
  const bundle = await rolldown({ cwd: root, input: fileURLToPath(source), platform: "node", tsconfig: false });
  const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
  await bundle.close();
  const file = path.join(directory, "child.mjs");
  writeFileSync(file, output[0].code);
  return {
    file,
    start(words, shell) {
      const started = startChild(file, words, shell);
      children.add(started.child);
      return started;
    },
    close() {
      for (const child of children) child.kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function startChild(file: string, words: readonly string[], shell: string | undefined): Child {
  const argv =
    shell === undefined ? [process.execPath, file, ...words] : ["sh", "-c", `${shell}; exec "$@"`, "sh", process.execPath, file, ...words];
  const [program = "", ...rest] = argv;
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  const lines = () => stdout.split("\n").slice(0, -1);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const look of watchers) look();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ lines: readonly string[]; stderr: string }>((resolve) =>
    child.on("close", () => resolve({ lines: lines(), stderr })),
  );
  const untilLines = (count: number) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (lines().length < count) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      void ended.then(() => reject(new Error(`ended before ${count} lines:\n${stdout}${stderr}`)));
      look();
    });
  return { child, lines, untilLines, ended };
}
