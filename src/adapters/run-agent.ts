/**
 * The adapter that all agent CLIs share. It finds the program, runs it in the attempt's workspace with the prompt on
 * standard input, counts usage from its output, stops it when a budget is exceeded, and turns its end into a result.
 */

import { constants } from "node:os";
import path from "node:path";
import { endpointsOf, isLoopback } from "../core/agent-endpoint.ts";
import { defined } from "../core/defined.ts";
import type { Failure } from "../core/failure.ts";
import type { Resources, Step } from "../core/pipeline.ts";
import type { Adapter, AdapterContext, AdapterOutcome, SpawnOutcome, WorkspacePaths } from "../core/ports.ts";
import { priced } from "../core/price.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Usage } from "../core/usage.ts";
import { type AgentEnvironment, agentProgram, type NoProgram } from "./agent-program.ts";
import type { AgentPackage } from "./agent-versions.ts";
import { overBudget } from "./budget.ts";
import type { AgentName } from "./detect-agents.ts";
import { spawnFailure, stepVariables } from "./spawn-failure.ts";

export interface AgentSetting {
  /** The environment of the wave process. */
  readonly env: AgentEnvironment;
  onProgress(text: string): void;
}

/** The exited program, with the data that decides whether its work counts. */
export interface AgentEnd {
  readonly exitCode: number;
  readonly usage: Usage;
  readonly prompt: string;
  readonly resources: Resources;
  /** The end of the log. */
  readonly tail: string;
  /** For matching denied tool calls to rules: the step, and the workspace root as the agent sees it. */
  readonly step: Pick<Step, "permissions">;
  readonly root: string;
}

/** Parses the output of one attempt. */
export interface AgentStream {
  /** Parses bytes of standard output; returns the text for the log. */
  push(chunk: Uint8Array): string;
  usage(): Usage;
  /** An error that ends the attempt at once; undefined if there is none so far. */
  fatalError(): Failure | undefined;
  /** Undefined if the agent ended well and did some work. */
  failure(end: AgentEnd): Failure | undefined;
  /** The model's last answer. */
  finalMessage(): string | undefined;
  /** Whether the agent reported its end. An exit status above 128 is then its own, not a signal's. */
  ended?(): boolean;
  /** Parses the file named by `Agent.exitReport`. */
  readExitReport?(text: string): void;
}

/** One agent CLI: how to start it and how to read its output. */
export interface Agent {
  readonly name: AgentName;
  readonly package: AgentPackage;
  /** Variables that can hold the key. At least one must be declared by the step and set. */
  readonly keys: readonly string[];
  args(step: Step, paths: WorkspacePaths): readonly string[];
  variables(step: Step, paths: WorkspacePaths): Readonly<Record<string, string>>;
  /** Configuration files to write before the start: path in the attempt's temporary directory → text. */
  files?(step: Step, paths: WorkspacePaths): Readonly<Record<string, string>>;
  openStream(): AgentStream;
  /** A file in the temporary directory that the agent writes on exit, at most 1 MB. */
  readonly exitReport?: string;
  /** A setting of the step that the agent cannot honor; undefined if there is none. */
  limitation?(step: Step): NoProgram | undefined;
}

export function agentAdapter(agent: Agent, setting: AgentSetting): Adapter {
  const programs = new Map<string, Promise<Result<string, NoProgram>>>();
  const versionOf = (step: Step) => step.adapter?.version ?? agent.package.version;
  const programFor = (step: Step) => {
    const version = versionOf(step);
    const program = programs.get(version) ?? agentProgram({ name: agent.name, package: agent.package, version, ...setting });
    programs.set(version, program);
    return program;
  };
  return {
    name: agent.name,
    version: async (step) => ok(`${agent.name}/${versionOf(step)}`),
    async problem(step) {
      const problem = agent.limitation?.(step) ?? keyProblem(agent, step, setting.env);
      if (problem !== undefined) return problem;
      const program = await programFor(step);
      return program.ok ? undefined : program.error;
    },
    async run(context) {
      const program = await programFor(context.step);
      if (program.ok) return run(agent, context, program.value, setting.env);
      const { step } = context;
      return err({ reason: "adapter-missing", step: step.id, persona: step.persona.name, adapter: agent.name, ...program.error });
    },
  };
}

async function run(agent: Agent, context: AdapterContext, program: string, waveEnv: AgentEnvironment): Promise<Result<AdapterOutcome>> {
  const { step, workspace, signal, log, prompt } = context;
  const { resources } = step;
  const stream = agent.openStream();
  const stop = new AbortController();
  let over: Failure | undefined;
  const used = () => priced(stream.usage(), step.adapter?.price);
  const consume = (chunk: Uint8Array) => {
    const text = stream.push(chunk);
    if (text !== "") log.write(Buffer.from(text), "stdout");
  };
  const written = await writeFiles(agent, context);
  if (!written.ok) return written;
  const outcome = await workspace.spawn({
    command: [...commandOf(program), ...agent.args(step, workspace.paths)],
    env: {
      ...context.env,
      ...stepVariables(context),
      ...agent.variables(step, workspace.paths),
      ...commonVariables(step, program, waveEnv),
    },
    stdin: "task",
    timeoutMs: resources.timeoutMs,
    ...defined({ memoryLimitBytes: resources.memoryLimitBytes }),
    signal: AbortSignal.any([signal, stop.signal]),
    role: "adapter",
    onOutput(chunk, source) {
      if (source === "stderr") {
        log.write(chunk, "stderr");
        return;
      }
      consume(chunk);
      context.onUsage?.(used());
      over ??= overBudget(used(), resources) ?? stream.fatalError();
      if (over !== undefined) stop.abort("over");
    },
  });
  // Flushes a last line without a line feed.
  consume(Buffer.from("\n"));
  if (agent.exitReport !== undefined) {
    const report = await workspace.read("temp", agent.exitReport, 1_000_000);
    if (report.ok) stream.readExitReport?.(Buffer.from(report.value).toString());
  }
  const usage = used();
  context.onUsage?.(usage);
  if (over !== undefined && !signal.aborted) return err(over);
  const ended = outcome.kind === "killed" && stream.ended?.() === true ? exitedWith(outcome.signal) : outcome;
  const failure = spawnFailure(context, ended, program);
  if (failure !== undefined) return err(failure);
  const exitCode = ended.kind === "exited" ? ended.code : 0;
  const unfinished = stream.failure({ exitCode, usage, prompt, resources, tail: log.tail(), step, root: workspace.paths.root });
  if (unfinished !== undefined) return err(unfinished);
  const finalMessage = stream.finalMessage() ?? "";
  return ok(finalMessage.trim() === "" ? {} : { finalMessage });
}

async function writeFiles(agent: Agent, { step, workspace }: AdapterContext): Promise<Result<void>> {
  const files = Object.entries(agent.files?.(step, workspace.paths) ?? {});
  if (files.length === 0) return ok(undefined);
  return workspace.write("temp", new Map(files.map(([name, text]) => [name, { mode: "100644", bytes: Buffer.from(text) } as const])));
}

/** The exit status that a shell reports for a signal. */
function exitedWith(signal: string): SpawnOutcome {
  return { kind: "exited", code: 128 + (constants.signals[signal as NodeJS.Signals] ?? 0) };
}

/** The sandbox shows the Node that runs Wave, so scripts run with it. */
function commandOf(program: string): readonly string[] {
  return /\.[cm]?js$/.test(program) ? [process.execPath, program] : [program];
}

/** Variables that every agent gets. */
function commonVariables(step: Step, program: string, env: AgentEnvironment): Record<string, string> {
  return {
    // The sandbox shows the directories of PATH.
    PATH: [...(env["PATH"] ?? "/usr/bin:/bin").split(path.delimiter), path.dirname(program)].join(path.delimiter),
    // Even local endpoints need the proxy: the sandbox has its own loopback interface.
    ...(endpointsOf(step).some(isLoopback) ? { NO_PROXY: "", no_proxy: "" } : {}),
  };
}

function keyProblem({ name, keys }: Agent, step: Step, env: AgentEnvironment): NoProgram | undefined {
  const declared = keys.filter((key) => step.secrets.includes(key) || step.env[key] !== undefined);
  if (declared.length === 0)
    return {
      detail: `adapter \`${name}\` has no key: the step declares none, and undeclared variables do not reach it`,
      hint: `write \`secrets: [${keys[0]}]\` at the top of the manifest, in the persona or in the step`,
    };
  if (declared.some((key) => step.env[key] !== undefined || (env[key] ?? "") !== "")) return undefined;
  return { detail: `adapter \`${name}\` has no key: ${declared.join(", ")} is not set`, hint: "set it in Wave's environment" };
}
