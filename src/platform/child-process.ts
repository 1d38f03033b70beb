/**
 * Runs one child process, as a small state machine. The child leads its own process group. However it ends (exit, time limit, memory
 * limit, cancellation), its group has ended and its output has been read when the outcome is returned. Output is streamed, not kept.
 *
 *     running ──limit or cancel──▶ ending (TERM, after the grace KILL) ──child exits──▶ clearing ──▶ resolved
 *        └──────────────────────────child exits──────────────────────────────────────▶ clearing ──▶ resolved
 *
 * A grandchild that left the group and holds the pipes open delays the outcome by at most `drainMs`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import type { SpawnOutcome, SpawnRequest } from "../core/ports.ts";
import { inheritedDescriptors } from "./inherited-descriptors.ts";
import { type MemoryGroup, openMemoryGroup } from "./memory-group.ts";
import { openMemoryScope } from "./memory-scope.ts";
import { openOutputPipes } from "./output-pipes.ts";
import { groupMemory, isGroupAlive, killAll, memoryLimitEnforced, signalGroup } from "./process-group.ts";

/** The child to run. `env` is its complete environment. */
export interface ChildRequest extends Omit<SpawnRequest, "role" | "stdin" | "network" | "restore"> {
  /** A file for standard input. Cheaper than a pipe, and fits a prompt of any size. */
  readonly stdinFile?: string;
  readonly cwd: string;
  /** Milliseconds between SIGTERM and SIGKILL; defaults to 2000. */
  readonly graceMs?: number;
}

type EndedBy = Extract<SpawnOutcome, { kind: "timed-out" | "memory-exceeded" | "cancelled" }>;

type State =
  | { readonly phase: "running" }
  | { readonly phase: "ending"; readonly outcome: EndedBy }
  /** The child has exited; the rest of its group is being ended and the pipes are being read. */
  | { readonly phase: "clearing"; readonly outcome: SpawnOutcome }
  | { readonly phase: "resolved" };

/** A started child. Wrapped in an object because execa's child is also a promise, which `await` would resolve. */
interface Started {
  readonly kind: "started";
  readonly child: ChildProcess;
  readonly pid: number;
  readonly output: Output;
}

/** A child's output streams. They close when no process holds the other end. */
interface Output {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
}

/** The longest wait for the pipes and the group after the child was killed or exited, in milliseconds. */
const drainMs = 500;
const pollMs = 20;
const memoryPollMs = 100;
const longestTimer = 2 ** 31 - 1;

/**
 * Runs a child and returns how it ended; never rejects. Without `stdinFile` its input is empty. A child may leave its input unread.
 * `onOutput` is called with each chunk once, in order within a stream, and must not keep the chunk.
 */
export async function spawnChild(request: ChildRequest): Promise<SpawnOutcome> {
  if (request.signal.aborted) return { kind: "cancelled" };
  const memory = request.memoryLimitBytes === undefined ? undefined : memoryGroup(request.memoryLimitBytes);
  const started = process.platform === "win32" ? await startOnWindows(request) : await start(request, memory);
  if (started.kind === "started") return supervise(started, request, memory);
  memory?.close();
  return started;
}

/** A group in which the kernel enforces a limit: Wave's own, else one of systemd; undefined if neither is available. */
function memoryGroup(limitBytes: number): MemoryGroup | undefined {
  return openMemoryGroup(limitBytes) ?? openMemoryScope(limitBytes);
}

/** The state of a started child. */
interface Supervision {
  readonly started: Started;
  readonly request: ChildRequest;
  readonly resolve: (outcome: SpawnOutcome) => void;
  readonly timers: Set<NodeJS.Timeout>;
  state: State;
  /** Whether its pipes are closed. */
  closed: boolean;
  /** Whether SIGKILL was sent to all its processes. */
  killed: boolean;
  /** Whether its group was empty when it exited. */
  alone: boolean;
  /** Enforces the memory limit, if the machine supports it. */
  readonly memory: MemoryGroup | undefined;
  unwatch: () => void;
}

function supervise(started: Started, request: ChildRequest, memory: MemoryGroup | undefined): Promise<SpawnOutcome> {
  const { child, output } = started;
  return new Promise((resolve) => {
    const timers = new Set<NodeJS.Timeout>();
    const run: Supervision = {
      started,
      request,
      resolve,
      timers,
      state: { phase: "running" },
      closed: false,
      killed: false,
      alone: false,
      memory,
      unwatch: () => {},
    };
    run.unwatch = watchLimits(run, (outcome) => end(run, outcome));
    child.once("exit", (code, signal) => exited(run, code, signal));
    const open = new Set([output.stdout, output.stderr].filter((stream) => stream !== null));
    for (const stream of open)
      stream.once("close", () => {
        open.delete(stream);
        run.closed = open.size === 0;
        clear(run);
      });
    run.closed = open.size === 0;
    connect(output, request);
    // The signal may have aborted while the pipes were created.
    if (request.signal.aborted) end(run, { kind: "cancelled" });
  });
}

function end(run: Supervision, outcome: EndedBy): void {
  if (run.state.phase !== "running") return;
  run.unwatch();
  run.state = { phase: "ending", outcome };
  // Memory is running out, so there is no grace period.
  if (outcome.kind === "memory-exceeded") {
    kill(run);
  } else {
    signalGroup(run.started.pid, "SIGTERM");
    after(run, run.request.graceMs ?? 2000, () => kill(run));
  }
}

function kill(run: Supervision): void {
  run.killed = true;
  killAll(run.started.pid);
  if (run.state.phase === "clearing") resolveSoon(run);
}

function exited(run: Supervision, code: number | null, signal: NodeJS.Signals | null): void {
  run.unwatch();
  if (run.state.phase === "ending") {
    // The rest of the group has the remaining grace period to end by itself.
    run.state = { phase: "clearing", outcome: run.state.outcome };
    if (run.killed) resolveSoon(run);
    poll(run);
  } else if (run.state.phase === "running") {
    const own: SpawnOutcome = code === null ? { kind: "killed", signal: signal ?? "unknown" } : { kind: "exited", code };
    run.state = { phase: "clearing", outcome: exceededBy(run) ?? own };
    run.alone = !signalGroup(run.started.pid, "SIGKILL");
    // Open pipes belong to processes that left the group. They are killed too if /proc shows them.
    after(run, pollMs * 2, () => kill(run));
    // The pipes may already be closed: events arrive in any order.
    if (run.alone) clear(run);
    else poll(run);
  }
}

/** Polls for the end of the rest of the group, for which there is no event. */
function poll(run: Supervision): void {
  if (run.state.phase === "clearing" && isGroupAlive(run.started.pid)) after(run, pollMs, () => poll(run));
  else clear(run);
}

/** Resolves if the pipes are closed and the group has ended. */
function clear(run: Supervision): void {
  if (run.state.phase === "clearing" && run.closed && (run.alone || !isGroupAlive(run.started.pid))) resolveChild(run, run.state.outcome);
}

/** Resolves after `drainMs` in any case. Output that is in the pipes by then is read first. */
function resolveSoon(run: Supervision): void {
  after(run, drainMs, () =>
    setImmediate(() => {
      if (run.state.phase === "clearing") resolveChild(run, run.state.outcome);
    }),
  );
}

function resolveChild(run: Supervision, outcome: SpawnOutcome): void {
  run.state = { phase: "resolved" };
  for (const timer of run.timers) clearTimeout(timer);
  run.memory?.close();
  for (const stream of [run.started.output.stdout, run.started.output.stderr]) stream?.destroy();
  run.resolve(outcome);
}

function after(run: Supervision, ms: number, action: () => void): void {
  const timer = setTimeout(() => {
    run.timers.delete(timer);
    action();
  }, ms);
  run.timers.add(timer);
}

/**
 * Calls `end` when a limit is reached or the signal aborts. Returns a function that stops the watch. The kernel's memory limit is polled
 * too, because the kernel kills only one of the processes.
 */
function watchLimits(run: Supervision, end: (outcome: EndedBy) => void): () => void {
  const { timeoutMs, memoryLimitBytes: limitBytes, signal } = run.request;
  const timeout = setTimeout(() => end({ kind: "timed-out", limitMs: timeoutMs }), Math.min(timeoutMs, longestTimer));
  const cancel = () => end({ kind: "cancelled" });
  signal.addEventListener("abort", cancel, { once: true });
  const watchdog =
    limitBytes === undefined || !memoryLimitEnforced
      ? undefined
      : setInterval(() => {
          const peakBytes = groupMemory(run.started.pid) ?? 0;
          if (peakBytes > limitBytes) end({ kind: "memory-exceeded", limitBytes, peakBytes });
          const exceeded = exceededBy(run);
          if (exceeded !== undefined) end(exceeded);
        }, memoryPollMs);
  return () => {
    clearTimeout(timeout);
    clearInterval(watchdog);
    signal.removeEventListener("abort", cancel);
  };
}

/** The outcome if the kernel enforced the memory limit. */
function exceededBy({ memory, request: { memoryLimitBytes: limitBytes } }: Supervision): EndedBy | undefined {
  const usage = memory?.usage();
  return usage?.exceeded !== true || limitBytes === undefined
    ? undefined
    : { kind: "memory-exceeded", limitBytes, peakBytes: Math.max(usage.peakBytes, limitBytes) };
}

function connect({ stdout, stderr }: Output, { onOutput }: ChildRequest): void {
  // Handled synchronously, so that output does not accumulate: a faster child waits on its pipe.
  stdout?.on("data", (chunk: Uint8Array) => onOutput(chunk, "stdout"));
  stderr?.on("data", (chunk: Uint8Array) => onOutput(chunk, "stderr"));
  // A broken pipe only means that the child closed it or exited; its exit status is more informative.
  for (const stream of [stdout, stderr]) stream?.on("error", () => {});
}

/**
 * Starts the child with Node's own `spawn`: execa would add a tenth to the time of a run with many small steps. Returns the outcome if
 * the child does not start.
 */
async function start({ command, cwd, env, stdinFile }: ChildRequest, memory: MemoryGroup | undefined): Promise<Started | SpawnOutcome> {
  const own = typeof command === "string" ? ["/bin/sh", "-c", command] : command;
  // A missing program must fail to start here, not in the shell that enters the memory group.
  const [file = "", ...args] = memory !== undefined && isProgram(own[0] ?? "", env["PATH"], cwd) ? memory.entering(own) : own;
  const pipes = await openOutputPipes();
  const opened = pipes?.map(({ writeEnd }) => writeEnd) ?? [];
  const open = (place: string) => {
    const descriptor = openSync(place, "r");
    opened.push(descriptor);
    return descriptor;
  };
  try {
    const input = stdinFile === undefined ? "ignore" : open(stdinFile);
    const [stdout, stderr] = pipes ?? [];
    const stdio = [input, stdout?.writeEnd ?? "pipe", stderr?.writeEnd ?? "pipe", ...plugs(() => open("/dev/null"))] as const;
    const child: ChildProcess = spawn(file, args, { cwd, env: { ...env }, stdio: [...stdio], detached: true });
    const output = { stdout: stdout?.output ?? child.stdout, stderr: stderr?.output ?? child.stderr };
    if (child.pid !== undefined) return { kind: "started", child, pid: child.pid, output };
    for (const pipe of pipes ?? []) pipe.output.destroy();
    return await new Promise<SpawnOutcome>((resolve) => child.once("error", (error) => resolve(notStarted(error))));
  } catch (error) {
    for (const pipe of pipes ?? []) pipe.output.destroy();
    // Node itself throws for an argument list that is too long or contains a NUL.
    return notStarted(error);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** Whether a name resolves to an executable program, by the system's search rules. */
function isProgram(name: string, search: string | undefined, cwd: string): boolean {
  const places = name.includes("/") ? [""] : (search ?? "").split(path.delimiter);
  return name !== "" && places.some((place) => isRunnable(path.resolve(cwd, place, name)));
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The child's descriptors from 3 on: `/dev/null` in place of each that it would inherit, and no others. */
function plugs(openNull: () => number): readonly ("ignore" | number)[] {
  const inherited = new Set(inheritedDescriptors());
  if (inherited.size === 0) return [];
  const nothing = openNull();
  return Array.from({ length: Math.max(...inherited) - 2 }, (_, index) => (inherited.has(index + 3) ? nothing : "ignore"));
}

/** On Windows, execa resolves programs by PATHEXT and scripts by their first line, which Node does not. */
async function startOnWindows({ command, cwd, env, stdinFile }: ChildRequest): Promise<Started | SpawnOutcome> {
  const { execa } = await import("execa");
  const [file = "", ...args] = typeof command === "string" ? [command] : command;
  const child = execa(file, args, {
    cwd,
    env: { ...env },
    extendEnv: false,
    stdin: stdinFile === undefined ? "ignore" : { file: stdinFile },
    buffer: false,
    reject: false,
    cleanup: false,
    shell: typeof command === "string",
  });
  const { pid, stdout, stderr } = child;
  return pid === undefined ? notStarted((await child).cause) : { kind: "started", child, pid, output: { stdout, stderr } };
}

function notStarted(error: unknown): SpawnOutcome {
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, message: String(error) };
  return { kind: "not-started", code: code ?? "UNKNOWN", detail: message };
}
