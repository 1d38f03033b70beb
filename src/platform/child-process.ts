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
import type { execa as Execa } from "execa";
import type { SpawnOutcome, SpawnRequest } from "../model/ports.ts";
import { groupMemory, isGroupAlive, killAll, memoryLimitEnforced, signalGroup } from "./process-group.ts";

/** What to run. `env` is everything that the child sees of the environment. */
export interface ChildRequest extends Omit<SpawnRequest, "role"> {
  readonly cwd: string;
  /** Milliseconds between SIGTERM and SIGKILL; 2000 by default. */
  readonly graceMs?: number;
}

type Child = ReturnType<typeof start>;

type EndedBy = Extract<SpawnOutcome, { kind: "timed-out" | "memory-exceeded" | "cancelled" }>;

type State =
  | { readonly phase: "running" }
  | { readonly phase: "ending"; readonly outcome: EndedBy }
  /** The child is gone; the rest of its group is ended and the pipes are read out. */
  | { readonly phase: "clearing"; readonly outcome: SpawnOutcome }
  | { readonly phase: "settled" };

/** How long after the child's exit its pipes are read and its group is waited for. */
const drainMs = 500;
const pollMs = 20;
const memoryPollMs = 100;
const longestTimer = 2 ** 31 - 1;

/**
 * Runs a child and gives how it ended; never rejects. Without `stdin` the child reads an empty input; a child that does not
 * read its input is no failure. `onOutput` gets each chunk once, in order within its stream, and must not keep it.
 */
export async function spawnChild(request: ChildRequest): Promise<SpawnOutcome> {
  // 20 ms of loading, which a run that starts no child should not pay.
  const { execa } = await import("execa");
  if (request.signal.aborted) return { kind: "cancelled" };
  const child = start(execa, request);
  const { pid } = child;
  if (pid === undefined) return notStarted(child);
  return supervise(child, pid, request);
}

/** A child that was started, and what is still to happen to it. */
interface Supervision {
  readonly child: Child;
  readonly pid: number;
  readonly request: ChildRequest;
  readonly resolve: (outcome: SpawnOutcome) => void;
  readonly timers: Set<NodeJS.Timeout>;
  state: State;
  /** Its pipes are closed. */
  closed: boolean;
  /** SIGKILL was sent to everything that belongs to it. */
  killed: boolean;
  unwatch: () => void;
}

function supervise(child: Child, pid: number, request: ChildRequest): Promise<SpawnOutcome> {
  return new Promise((resolve) => {
    const timers = new Set<NodeJS.Timeout>();
    const run: Supervision = {
      child,
      pid,
      request,
      resolve,
      timers,
      state: { phase: "running" },
      closed: false,
      killed: false,
      unwatch: () => {},
    };
    run.unwatch = watchLimits(pid, request, (outcome) => end(run, outcome));
    child.once("exit", (code, signal) => exited(run, code, signal));
    child.once("close", () => {
      run.closed = true;
      clear(run);
    });
    connect(child, request);
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
  if (run.state.phase === "clearing") settleSoon(run);
}

function exited(run: Supervision, code: number | null, signal: NodeJS.Signals | null): void {
  run.unwatch();
  if (run.state.phase === "ending") {
    // The others in the group have what is left of the grace to end by themselves.
    run.state = { phase: "clearing", outcome: run.state.outcome };
    if (run.killed) settleSoon(run);
    poll(run);
  } else if (run.state.phase === "running") {
    run.state = { phase: "clearing", outcome: code === null ? { kind: "killed", signal: signal ?? "unknown" } : { kind: "exited", code } };
    if (signalGroup(run.pid, "SIGKILL")) poll(run);
    // Pipes that stay open belong to someone who left the group; where /proc finds them, they go too.
    after(run, pollMs * 2, () => kill(run));
  }
}

/** Waits for the rest of the group, which gives no sign when it ends. */
function poll(run: Supervision): void {
  if (run.state.phase === "clearing" && isGroupAlive(run.pid)) after(run, pollMs, () => poll(run));
  else clear(run);
}

/** Settles if the pipes are closed and the group is gone. */
function clear(run: Supervision): void {
  if (run.state.phase === "clearing" && run.closed && !isGroupAlive(run.pid)) settle(run, run.state.outcome);
}

/** Settles in a while, whatever is left then; what lies in the pipes by that time is read first. */
function settleSoon(run: Supervision): void {
  after(run, drainMs, () =>
    setImmediate(() => {
      if (run.state.phase === "clearing") settle(run, run.state.outcome);
    }),
  );
}

function settle(run: Supervision, outcome: SpawnOutcome): void {
  run.state = { phase: "settled" };
  for (const timer of run.timers) clearTimeout(timer);
  for (const stream of [run.child.stdin, run.child.stdout, run.child.stderr]) stream?.destroy();
  run.resolve(outcome);
}

function after(run: Supervision, ms: number, action: () => void): void {
  const timer = setTimeout(() => {
    run.timers.delete(timer);
    action();
  }, ms);
  run.timers.add(timer);
}

/** Calls `end` when a limit is reached or the signal aborts. Gives the function that ends the watch. */
function watchLimits(pid: number, request: ChildRequest, end: (outcome: EndedBy) => void): () => void {
  const { timeoutMs, memoryLimitBytes: limitBytes, signal } = request;
  const timeout = setTimeout(() => end({ kind: "timed-out", limitMs: timeoutMs }), Math.min(timeoutMs, longestTimer));
  const cancel = () => end({ kind: "cancelled" });
  signal.addEventListener("abort", cancel, { once: true });
  const watchdog =
    limitBytes === undefined || !memoryLimitEnforced
      ? undefined
      : setInterval(() => {
          const peakBytes = groupMemory(pid) ?? 0;
          if (peakBytes > limitBytes) end({ kind: "memory-exceeded", limitBytes, peakBytes });
        }, memoryPollMs);
  return () => {
    clearTimeout(timeout);
    clearInterval(watchdog);
    signal.removeEventListener("abort", cancel);
  };
}

function connect(child: Child, { onOutput, stdin }: ChildRequest): void {
  // Handed on as it comes and at once, so that nothing piles up: a child that prints faster than this waits on its pipe.
  child.stdout.on("data", (chunk: Uint8Array) => onOutput(chunk, "stdout"));
  child.stderr.on("data", (chunk: Uint8Array) => onOutput(chunk, "stderr"));
  // A broken pipe says only that the child does not read its input, or that it is gone; its exit tells more.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on("error", () => {});
  child.stdin?.end(stdin);
}

function start(execa: typeof Execa, { command, cwd, env, stdin }: ChildRequest) {
  const onWindows = process.platform === "win32";
  const isShell = typeof command === "string";
  const [file = "", ...words] = !isShell ? command : onWindows ? [command] : ["/bin/sh", "-c", command];
  return execa(file, words, {
    cwd,
    env: { ...env },
    extendEnv: false,
    stdin: stdin === undefined ? ("ignore" as const) : ("pipe" as const),
    stdout: "pipe" as const,
    stderr: "pipe" as const,
    buffer: false as const,
    reject: false as const,
    cleanup: false,
    detached: !onWindows,
    shell: isShell && onWindows,
  });
}

async function notStarted(child: Child): Promise<SpawnOutcome> {
  const result = await child;
  const cause = "cause" in result && result.cause instanceof Error ? result.cause : undefined;
  const code = cause !== undefined && "code" in cause ? String(cause.code) : "UNKNOWN";
  return { kind: "not-started", code, detail: cause?.message ?? "the command could not be started" };
}
