/**
 * The `command` adapter: a persona that is a program. The prompt is its standard input; what it prints is its log, and its
 * standard output, whole, its final message. Its exit status is its work: 0 is done.
 */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import type { Adapter, AdapterContext, AdapterOutcome } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { spawnFailure, wayVariables } from "../spawn-failure.ts";

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
    env: { ...context.env, ...wayVariables(context) },
    stdin: "task",
    timeoutMs: resources.timeoutMs,
    ...defined({ memoryLimitBytes: resources.memoryLimitBytes }),
    signal,
    role: "adapter",
    onOutput: (chunk, stream) => {
      log.write(chunk, stream);
      if (stream === "stdout") stdout.push(chunk);
    },
  });
  const failure = spawnFailure(context, outcome, programOf(command));
  if (failure !== undefined) return err(failure);
  if (outcome.kind === "exited" && outcome.code !== 0) {
    const place = step.workspace === "shared" ? { inProject: true as const } : {};
    return err({ reason: "adapter-exit", exitCode: outcome.code, tail: log.tail(), ...place });
  }
  const finalMessage = stdout.text();
  return ok(finalMessage === undefined || finalMessage.trim() === "" ? {} : { finalMessage });
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
