/**
 * The `command` adapter: a persona that is a program. The prompt is its standard input; what it prints is its log, and its
 * standard output, whole, its final message. Its exit status is its work: 0 is done.
 */
import type { Failure } from "../model/failure.ts";
import type { Adapter, AdapterContext, AdapterOutcome, SpawnOutcome } from "../model/ports.ts";
import { err, ok, type Result, unreachable } from "../model/result.ts";

/** Standard output above this many bytes is output, not a message. */
const messageLimit = 10 * 1024 * 1024;

/** Runs `step.adapter.command`, argv or a shell command, in the attempt's workspace. A step without one fails with `adapter-missing`. */
export function commandAdapter(): Adapter {
  return { name: "command", version: async () => ok("command/1"), run };
}

async function run(context: AdapterContext): Promise<Result<AdapterOutcome>> {
  const { step, workspace, resources, signal, log } = context;
  const command = step.adapter?.command;
  if (command === undefined) return err(noCommand(context));
  const stdout = boundedOutput(messageLimit);
  const outcome = await workspace.spawn({
    command,
    env: { ...context.env, ...variablesOf(context) },
    stdin: "task",
    timeoutMs: resources.timeoutMs,
    ...(resources.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: resources.memoryLimitBytes }),
    signal,
    role: "adapter",
    onOutput: (chunk, stream) => {
      log.write(chunk, stream);
      if (stream === "stdout") stdout.push(chunk);
    },
  });
  const failure = failureOf(context, outcome);
  if (failure !== undefined) return err(failure);
  const finalMessage = stdout.text();
  return ok(finalMessage === undefined || finalMessage.trim() === "" ? {} : { finalMessage });
}

/** The variables by which a child finds its way. */
function variablesOf({ workspace, run: id, step, attempt }: AdapterContext): Record<string, string> {
  return {
    WAVE_TASK_FILE: workspace.paths.taskFile,
    WAVE_INPUTS_DIR: workspace.paths.inputs,
    WAVE_OUTPUT_DIR: workspace.paths.output,
    WAVE_RUN_ID: id,
    WAVE_STEP_ID: step.id,
    WAVE_ATTEMPT: String(attempt),
  };
}

function failureOf({ step, signal, log }: AdapterContext, outcome: SpawnOutcome): Failure | undefined {
  switch (outcome.kind) {
    case "exited":
      return outcome.code === 0 ? undefined : { reason: "adapter-exit", exitCode: outcome.code, tail: log.tail() };
    case "killed":
      return { reason: "adapter-crash", signal: outcome.signal, tail: log.tail() };
    case "timed-out":
      return { reason: "timeout", limitMs: outcome.limitMs, tail: log.tail() };
    case "memory-exceeded":
      return { reason: "memory-exceeded", limitBytes: outcome.limitBytes, peakBytes: outcome.peakBytes };
    case "disk-exceeded":
      return { reason: "disk-exceeded", limitBytes: outcome.limitBytes, usedBytes: outcome.usedBytes };
    case "cancelled":
      return { reason: "cancelled", by: String(signal.reason) };
    case "not-started":
      return { reason: "spawn-failed", command: programOf(step.adapter?.command), code: outcome.code, detail: outcome.detail };
    default:
      return unreachable(outcome);
  }
}

function noCommand({ step }: AdapterContext): Failure {
  return {
    reason: "adapter-missing",
    step: step.id,
    persona: step.persona.name,
    adapter: "command",
    detail: "adapter `command` has no command to run",
    hint: "give the persona a `command:`, or set `adapters: { command: { command: [program, argument] } }`",
  };
}

function programOf(command: readonly string[] | string | undefined): string {
  return (typeof command === "string" ? command : command?.[0]) ?? "";
}

/** Collects bytes up to a limit; beyond it there is no text. Bytes that are not UTF-8 are replaced. */
function boundedOutput(limit: number): { push(chunk: Uint8Array): void; text(): string | undefined } {
  let chunks: Uint8Array[] = [];
  let size = 0;
  return {
    push(chunk) {
      size += chunk.length;
      if (size <= limit) chunks.push(Buffer.from(chunk));
      else chunks = [];
    },
    text: () => (size > limit ? undefined : Buffer.concat(chunks).toString()),
  };
}
