/**
 * The `command` adapter: runs a program or a shell command. It gets the prompt on standard input. Both output streams go to
 * the log; standard output is also the final message. Any exit status except 0 is a failure.
 */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import type { Adapter, AdapterContext, AdapterOutcome } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { spawnFailure, stepVariables } from "../spawn-failure.ts";

/** Longer standard output, in bytes, is not kept as the final message. */
const messageLimit = 10 * 1024 * 1024;

/** Runs `step.adapter.command` in the attempt's workspace. A step without a command fails with `adapter-missing`. */
export function commandAdapter(): Adapter {
  return { name: "command", version: async () => ok("command/1"), run };
}

async function run(context: AdapterContext): Promise<Result<AdapterOutcome>> {
  const { step, workspace, signal, log } = context;
  const command = step.adapter?.command;
  if (command === undefined) return err(noCommand(context));
  const stdout = boundedOutput(messageLimit);
  const outcome = await workspace.spawn({
    command,
    env: { ...context.env, ...stepVariables(context) },
    stdin: "task",
    timeoutMs: step.resources.timeoutMs,
    ...defined({ memoryLimitBytes: step.resources.memoryLimitBytes }),
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
    const location = step.workspace === "shared" ? { inProject: true as const } : {};
    return err({ reason: "adapter-exit", exitCode: outcome.code, tail: log.tail(), ...location });
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

/** Collects bytes. `text()` is undefined if they exceed the limit; invalid UTF-8 is replaced. */
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
