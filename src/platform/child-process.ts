/**
 * One child process from start to end, as a small state machine. The child leads a process group of its own; whatever ends it
 * (its own exit, the time limit, the memory limit, cancellation), the group is gone and its output is read when the outcome is
 * given. It streams: nothing of the output is kept here.
 *
 *     running ──limit or cancel──▶ ending (TERM, after the grace KILL) ──child exits──▶ clearing ──▶ settled
 *        └──────────────────────────child exits──────────────────────────────────────▶ clearing ──▶ settled
 *
 * A grandchild that left the group and holds the pipes open is waited for no longer than `drainMs`.
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

/** What to run. `env` is everything that the child sees of the environment. */
export interface ChildRequest extends Omit<SpawnRequest, "role" | "stdin"> {
  /** A file that the child reads on standard input: a descriptor costs less than a pipe, and holds a prompt of any size. */
  readonly stdinFile?: string;
  readonly cwd: string;
  /** Milliseconds between SIGTERM and SIGKILL; 2000 by default. */
  readonly graceMs?: number;
}

type EndedBy = Extract<SpawnOutcome, { kind: "timed-out" | "memory-exceeded" | "cancelled" }>;

type State =
  | { readonly phase: "running" }
  | { readonly phase: "ending"; readonly outcome: EndedBy }
  /** The child is gone; the rest of its group is ended and the pipes are read out. */
  | { readonly phase: "clearing"; readonly outcome: SpawnOutcome }
  | { readonly phase: "settled" };

/** The child is wrapped: what execa gives is a promise too, and must not be waited for on its way here. */
interface Started {
  readonly kind: "started";
  readonly child: ChildProcess;
  readonly pid: number;
  readonly output: Output;
}

/** The streams that a child prints to. They close when no process holds the other side. */
interface Output {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
}

/** How long after the child's exit its pipes are read and its group is waited for. */
const drainMs = 500;
const pollMs = 20;
const memoryPollMs = 100;
const longestTimer = 2 ** 31 - 1;

/**
 * Runs a child and gives how it ended; never rejects. Without `stdinFile` the child reads an empty input; a child that does not
 * read its input is no failure. `onOutput` gets each chunk once, in order within its stream, and must not keep it.
 */
export async function spawnChild(request: ChildRequest): Promise<SpawnOutcome> {
  if (request.signal.aborted) return { kind: "cancelled" };
  const memory = request.memoryLimitBytes === undefined ? undefined : memoryKeeper(request.memoryLimitBytes);
  const started = process.platform === "win32" ? await startOnWindows(request) : await start(request, memory);
  if (started.kind === "started") return supervise(started, request, memory);
  memory?.close();
  return started;
}

/** The kernel's keeper of a limit: a group of wave's own, else one of systemd's; nothing where neither can be had. */
function memoryKeeper(limitBytes: number): MemoryGroup | undefined {
  return openMemoryGroup(limitBytes) ?? openMemoryScope(limitBytes);
}

/** A child that was started, and what is still to happen to it. */
interface Supervision {
  readonly pid: number;
  readonly output: Output;
  readonly request: ChildRequest;
  readonly resolve: (outcome: SpawnOutcome) => void;
  readonly timers: Set<NodeJS.Timeout>;
  state: State;
  /** Its pipes are closed. */
  closed: boolean;
  /** SIGKILL was sent to everything that belongs to it. */
  killed: boolean;
  /** Nobody was left in its group when it exited. */
  alone: boolean;
  /** Keeps the memory limit, where the machine can. */
  readonly memory: MemoryGroup | undefined;
  unwatch: () => void;
}

function supervise({ child, pid, output }: Started, request: ChildRequest, memory: MemoryGroup | undefined): Promise<SpawnOutcome> {
  return new Promise((resolve) => {
    const timers = new Set<NodeJS.Timeout>();
    const run: Supervision = {
      pid,
      output,
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
    // The signal may have been aborted while the pipes were made.
    if (request.signal.aborted) end(run, { kind: "cancelled" });
  });
}

function end(run: Supervision, outcome: EndedBy): void {
  if (run.state.phase !== "running") return;
  run.unwatch();
  run.state = { phase: "ending", outcome };
  // With memory running out there is no time for a grace.
  if (outcome.kind === "memory-exceeded") {
    kill(run);
  } else {
    signalGroup(run.pid, "SIGTERM");
    after(run, run.request.graceMs ?? 2000, () => kill(run));
  }
}

function kill(run: Supervision): void {
  run.killed = true;
  killAll(run.pid);
  if (run.state.phase === "clearing") resolveSoon(run);
}

function exited(run: Supervision, code: number | null, signal: NodeJS.Signals | null): void {
  run.unwatch();
  if (run.state.phase === "ending") {
    // The others in the group have what is left of the grace to end by themselves.
    run.state = { phase: "clearing", outcome: run.state.outcome };
    if (run.killed) resolveSoon(run);
    poll(run);
  } else if (run.state.phase === "running") {
    const own: SpawnOutcome = code === null ? { kind: "killed", signal: signal ?? "unknown" } : { kind: "exited", code };
    run.state = { phase: "clearing", outcome: exceededBy(run) ?? own };
    run.alone = !signalGroup(run.pid, "SIGKILL");
    // Pipes that stay open belong to someone who left the group; where /proc finds them, they go too.
    after(run, pollMs * 2, () => kill(run));
    // The pipes may have closed before: the events come in any order.
    if (run.alone) clear(run);
    else poll(run);
  }
}

/** Waits for the rest of the group, which gives no sign when it ends. */
function poll(run: Supervision): void {
  if (run.state.phase === "clearing" && isGroupAlive(run.pid)) after(run, pollMs, () => poll(run));
  else clear(run);
}

/** Settles if the pipes are closed and the group is gone. */
function clear(run: Supervision): void {
  if (run.state.phase === "clearing" && run.closed && (run.alone || !isGroupAlive(run.pid))) resolveChild(run, run.state.outcome);
}

/** Settles in a while, whatever is left then; what lies in the pipes by that time is read first. */
function resolveSoon(run: Supervision): void {
  after(run, drainMs, () =>
    setImmediate(() => {
      if (run.state.phase === "clearing") resolveChild(run, run.state.outcome);
    }),
  );
}

function resolveChild(run: Supervision, outcome: SpawnOutcome): void {
  run.state = { phase: "settled" };
  for (const timer of run.timers) clearTimeout(timer);
  run.memory?.close();
  for (const stream of [run.output.stdout, run.output.stderr]) stream?.destroy();
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
 * Calls `end` when a limit is reached or the signal aborts. Gives the function that ends the watch. The kernel's limit is looked at like the other
 * one: it ends one process of many.
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
          const peakBytes = groupMemory(run.pid) ?? 0;
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

/** What the kernel did about the limit. */
function exceededBy({ memory, request: { memoryLimitBytes: limitBytes } }: Supervision): EndedBy | undefined {
  const looked = memory?.look();
  return looked?.exceeded !== true || limitBytes === undefined
    ? undefined
    : { kind: "memory-exceeded", limitBytes, peakBytes: Math.max(looked.peakBytes, limitBytes) };
}

function connect({ stdout, stderr }: Output, { onOutput }: ChildRequest): void {
  // Handed on as it comes and at once, so that nothing piles up: a child that prints faster than this waits on its pipe.
  stdout?.on("data", (chunk: Uint8Array) => onOutput(chunk, "stdout"));
  stderr?.on("data", (chunk: Uint8Array) => onOutput(chunk, "stderr"));
  // A broken pipe says only that the child does not read its input, or that it is gone; its exit tells more.
  for (const stream of [stdout, stderr]) stream?.on("error", () => {});
}

/**
 * Node's own spawn: a tenth of the cost of a run with many small steps is what a richer one adds to each. Gives the outcome
 * when the child never starts.
 */
async function start({ command, cwd, env, stdinFile }: ChildRequest, memory: MemoryGroup | undefined): Promise<Started | SpawnOutcome> {
  const own = typeof command === "string" ? ["/bin/sh", "-c", command] : command;
  // What is not there is told by the attempt to start it, not by a shell.
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
    // Node throws what it finds before the kernel does: an argument list that is too long, a NUL in a word.
    return notStarted(error);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** Whether a name leads to a program that may be run, as the system looks for it. */
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

/** What stands in a child at the third descriptor and above: `/dev/null` for each that it would inherit, and nothing else. */
function plugs(openNull: () => number): readonly ("ignore" | number)[] {
  const inherited = new Set(inheritedDescriptors());
  if (inherited.size === 0) return [];
  const nothing = openNull();
  return Array.from({ length: Math.max(...inherited) - 2 }, (_, index) => (inherited.has(index + 3) ? nothing : "ignore"));
}

/** On Windows execa finds programs by PATHEXT and runs scripts by their first line, which Node does not. */
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
