/** Gives each test a project, a HOME and a state of its own, and runs the built binary in it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import type { WaveEvent } from "../../src/core/event.ts";
import { removeDirectory } from "./remove-directory.ts";

export const repository = path.resolve(import.meta.dirname, "../..");
/** The built binary; `WAVE_TEST_CLI` names that of another build. */
export const cli = process.env["WAVE_TEST_CLI"] ?? path.join(repository, "dist", "cli.js");

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  /** What stdout gave so far. */
  readonly stdout: () => string;
  /** Resolves once a line of stdout satisfies the test; rejects when the process ends before. */
  readonly line: (wanted: (line: string) => boolean) => Promise<string>;
  readonly finished: Promise<Finished>;
}

export interface Project {
  readonly root: string;
  readonly write: (files: Readonly<Record<string, string>>) => void;
  readonly wave: (...words: string[]) => Promise<Finished>;
  readonly start: (words: readonly string[], env?: Readonly<Record<string, string>>) => Started;
  /** All events of all runs, in the order of files and lines. */
  readonly events: () => WaveEvent[];
}

const open: { root: string; children: Set<ChildProcess> }[] = [];

afterEach(() => {
  for (const { root, children } of open.splice(0)) {
    for (const child of children) child.kill("SIGKILL");
    removeDirectory(root);
  }
});

/** A project with these files in a temporary directory; gone after the test. */
export function project(files: Readonly<Record<string, string>>): Project {
  const root = mkdtempSync(path.join(tmpdir(), "wave-project-"));
  const children = new Set<ChildProcess>();
  open.push({ root, children });
  const write = (more: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(more)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
  };
  write(files);
  const start = (words: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const started = startWave(words, root, env);
    children.add(started.child);
    return started;
  };
  return { root, write, start, wave: (...words) => start(words).finished, events: () => eventsIn(root) };
}

/** The last `attempt-passed`'s artifact bytes, by name, from the blob store. */
export function artifactText(root: string, digest: string): string {
  const hex = digest.slice("sha256:".length);
  return readFileSync(path.join(root, ".wave/state/blobs/sha256", hex.slice(0, 2), hex.slice(2)), "utf8");
}

function startWave(words: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Started {
  const child = spawn(process.execPath, [cli, ...words], { cwd, env: cleanEnv(env), stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const look of watchers) look();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
  const line = (wanted: (line: string) => boolean) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = stdout.split("\n").slice(0, -1).find(wanted);
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      void finished.then((end) => reject(new Error(`ended (${end.code}) before the line came:\n${end.stdout}${end.stderr}`)));
      look();
    });
  return { child, stdout: () => stdout, line, finished };
}

/** Only what a program needs, so that nothing of the machine decides a test. */
function cleanEnv(extra: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", LANG: "C.UTF-8", ...extra };
}

/** All events of a project's runs, in the order of files and lines. */
export function eventsIn(root: string): WaveEvent[] {
  const journals = path.join(root, ".wave/state/journals");
  return readdirSync(journals, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .flatMap((name) =>
      readFileSync(path.join(journals, name), "utf8")
        .split("\n")
        .slice(0, -1)
        .map((text) => JSON.parse(text) as WaveEvent),
    );
}
