/**
 * The `claude` adapter: a persona that is Claude Code, without a terminal. The prompt is its standard input, its events are counted while they
 * come, and its last answer is the final message. It runs like any child: in the attempt's workspace, inside the sandbox.
 */
import path from "node:path";
import { endpointOf, isLoopback } from "../model/agent-endpoint.ts";
import type { Failure } from "../model/failure.ts";
import type { Step } from "../model/pipeline.ts";
import type { Adapter, AdapterContext, AdapterOutcome } from "../model/ports.ts";
import { err, ok, type Result } from "../model/result.ts";
import { type AgentEnvironment, agentProgram, type NoProgram } from "./agent-program.ts";
import { claudePackage } from "./agent-versions.ts";
import { claudeFailure, overBudget } from "./claude-outcome.ts";
import { claudeStream } from "./claude-stream.ts";
import { claudeWords } from "./claude-words.ts";
import { spawnFailure, wayVariables } from "./spawn-failure.ts";

export interface AgentSetting {
  /** The environment of the wave process. */
  readonly env: AgentEnvironment;
  announce(text: string): void;
}

/** Variables that hold a key. One of them has to be declared, and set. */
const keys = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"];

/** Nothing of what it does beside its work: reports, updates, retries for minutes. */
const quiet = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  DISABLE_TELEMETRY: "1",
  DISABLE_ERROR_REPORTING: "1",
  CLAUDE_CODE_MAX_RETRIES: "2",
};

export function claudeAdapter(setting: AgentSetting): Adapter {
  const programs = new Map<string, Promise<Result<string, NoProgram>>>();
  const programFor = (step: Step) => {
    const version = versionOf(step);
    const found = programs.get(version) ?? agentProgram({ name: "claude", package: claudePackage, version, ...setting });
    programs.set(version, found);
    return found;
  };
  return {
    name: "claude",
    version: async (step) => ok(`claude/${versionOf(step)}`),
    async problem(step) {
      const missing = keyProblem(step, setting.env);
      if (missing !== undefined) return missing;
      const program = await programFor(step);
      return program.ok ? undefined : program.error;
    },
    async run(context) {
      const program = await programFor(context.step);
      if (!program.ok) return err(missing(context.step, program.error));
      return run(context, program.value, setting.env);
    },
  };
}

async function run(context: AdapterContext, program: string, waveEnv: AgentEnvironment): Promise<Result<AdapterOutcome>> {
  const { step, workspace, resources, signal, log, prompt } = context;
  const stream = claudeStream();
  const stop = new AbortController();
  let spent: Failure | undefined;
  const outcome = await workspace.spawn({
    command: [program, ...claudeWords(step, workspace.paths)],
    env: { ...context.env, ...wayVariables(context), ...agentVariables(context, program, waveEnv) },
    stdin: "task",
    timeoutMs: resources.timeoutMs,
    ...(resources.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: resources.memoryLimitBytes }),
    signal: AbortSignal.any([signal, stop.signal]),
    role: "adapter",
    onOutput(chunk, source) {
      if (source === "stderr") {
        log.write(chunk, "stderr");
        return;
      }
      const text = stream.push(chunk);
      if (text !== "") log.write(Buffer.from(text), "stdout");
      context.onUsage?.(stream.usage());
      spent ??= overBudget(stream.usage(), resources);
      if (spent !== undefined) stop.abort("budget");
    },
  });
  const usage = stream.usage();
  context.onUsage?.(usage);
  if (spent !== undefined && !signal.aborted) return err(spent);
  const failure = spawnFailure(context, outcome, program);
  if (failure !== undefined) return err(failure);
  const exitCode = outcome.kind === "exited" ? outcome.code : 0;
  const found = claudeFailure({ exitCode, result: stream.result(), usage, prompt, resources, tail: log.tail() });
  if (found !== undefined) return err(found);
  const finalMessage = stream.result()?.text ?? "";
  return ok(finalMessage.trim() === "" ? {} : { finalMessage });
}

/** Where it keeps its own things, and which endpoint it speaks to. */
function agentVariables({ step, workspace }: AdapterContext, program: string, env: AgentEnvironment): Record<string, string> {
  const base = step.adapter?.baseUrl;
  const endpoint = endpointOf(step);
  return {
    ...quiet,
    // Directories of PATH are shown in the sandbox.
    PATH: [...(env["PATH"] ?? "/usr/bin:/bin").split(path.delimiter), path.dirname(program)].join(path.delimiter),
    CLAUDE_CONFIG_DIR: path.posix.join(workspace.paths.temp, "claude"),
    ...(base === undefined ? {} : { ANTHROPIC_BASE_URL: base }),
    // An endpoint on this machine is reached through the proxy too: inside the sandbox loopback is another one.
    ...(endpoint !== undefined && isLoopback(endpoint) ? { NO_PROXY: "", no_proxy: "" } : {}),
  };
}

function keyProblem(step: Step, env: AgentEnvironment): NoProgram | undefined {
  const declared = keys.filter((name) => step.secrets.includes(name) || step.env[name] !== undefined);
  if (declared.length === 0)
    return {
      detail: "adapter `claude` has no key: nothing of the environment reaches a persona that does not declare it",
      hint: "write `secrets: [ANTHROPIC_API_KEY]` at the top of the manifest, in the persona or in the step",
    };
  if (declared.some((name) => step.env[name] !== undefined || (env[name] ?? "") !== "")) return undefined;
  return { detail: `adapter \`claude\` has no key: ${declared.join(", ")} is not set`, hint: "set it in the environment of wave" };
}

function missing(step: Step, { detail, hint }: NoProgram): Failure {
  return { reason: "adapter-missing", step: step.id, persona: step.persona.name, adapter: "claude", detail, hint };
}

function versionOf(step: Step): string {
  return step.adapter?.version ?? claudePackage.version;
}
