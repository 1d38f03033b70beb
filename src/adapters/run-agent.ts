/**
 * What adapters of agents share: finding the program, starting it in the attempt's workspace with the prompt on standard input, counting what it tells
 * while it comes, ending it when its budget is spent, and judging how it ended.
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
import { spawnFailure, wayVariables } from "./spawn-failure.ts";

export interface AgentSetting {
  /** The environment of the wave process. */
  readonly env: AgentEnvironment;
  onProgress(text: string): void;
}

/** What is known when the program has exited. */
export interface AgentEnd {
  readonly exitCode: number;
  readonly usage: Usage;
  readonly prompt: string;
  readonly resources: Resources;
  readonly tail: string;
  /** The step, and the root of its workspace as the agent sees it. */
  readonly step: Pick<Step, "permissions">;
  readonly root: string;
}

/** One agent's words, as they come. */
export interface AgentStream {
  /** Takes bytes of standard output; gives what a log should show of them. */
  push(chunk: Uint8Array): string;
  usage(): Usage;
  /** Why there is no use in waiting any longer; nothing while there is. */
  fatalError(): Failure | undefined;
  /** Nothing where there is work to judge. */
  failure(end: AgentEnd): Failure | undefined;
  /** Its last answer. */
  finalMessage(): string | undefined;
  /** It has said that it is at its end. An exit status that looks like a signal's is then its own. */
  ended?(): boolean;
  /** Takes the agent's afterword. */
  readExitReport?(text: string): void;
}

/** An agent's program. */
export interface Agent {
  readonly name: AgentName;
  readonly package: AgentPackage;
  /** Variables that hold a key. One of them has to be declared, and set. */
  readonly keys: readonly string[];
  args(step: Step, paths: WorkspacePaths): readonly string[];
  variables(step: Step, paths: WorkspacePaths): Readonly<Record<string, string>>;
  /** Files that it is told of by its words or variables: path below the attempt's temporary directory → text. */
  files?(step: Step, paths: WorkspacePaths): Readonly<Record<string, string>>;
  openStream(): AgentStream;
  /** A file below the temporary directory that it writes when it ends; its stream hears it. */
  readonly exitReport?: string;
  /** What of a step it cannot hold to; nothing where it can. */
  limitation?(step: Step): NoProgram | undefined;
}

export function agentAdapter(agent: Agent, setting: AgentSetting): Adapter {
  const programs = new Map<string, Promise<Result<string, NoProgram>>>();
  const versionOf = (step: Step) => step.adapter?.version ?? agent.package.version;
  const programFor = (step: Step) => {
    const version = versionOf(step);
    const found = programs.get(version) ?? agentProgram({ name: agent.name, package: agent.package, version, ...setting });
    programs.set(version, found);
    return found;
  };
  return {
    name: agent.name,
    version: async (step) => ok(`${agent.name}/${versionOf(step)}`),
    async problem(step) {
      const missing = agent.limitation?.(step) ?? keyProblem(agent, step, setting.env);
      if (missing !== undefined) return missing;
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
  const { step, workspace, resources, signal, log, prompt } = context;
  const stream = agent.openStream();
  const stop = new AbortController();
  let over: Failure | undefined;
  const used = () => priced(stream.usage(), step.adapter?.price);
  const hear = (chunk: Uint8Array) => {
    const text = stream.push(chunk);
    if (text !== "") log.write(Buffer.from(text), "stdout");
  };
  const laid = await layFiles(agent, context);
  if (!laid.ok) return laid;
  const outcome = await workspace.spawn({
    command: [...startOf(program), ...agent.args(step, workspace.paths)],
    env: { ...context.env, ...wayVariables(context), ...agent.variables(step, workspace.paths), ...surroundings(step, program, waveEnv) },
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
      hear(chunk);
      context.onUsage?.(used());
      over ??= overBudget(used(), resources) ?? stream.fatalError();
      if (over !== undefined) stop.abort("over");
    },
  });
  // The last line of a stream that broke off, or of an agent that does not end its lines.
  hear(Buffer.from("\n"));
  if (agent.exitReport !== undefined) {
    const said = await workspace.read("temp", agent.exitReport, 1_000_000);
    if (said.ok) stream.readExitReport?.(Buffer.from(said.value).toString());
  }
  const usage = used();
  context.onUsage?.(usage);
  if (over !== undefined && !signal.aborted) return err(over);
  const ended = outcome.kind === "killed" && stream.ended?.() === true ? exitedWith(outcome.signal) : outcome;
  const failure = spawnFailure(context, ended, program);
  if (failure !== undefined) return err(failure);
  const exitCode = ended.kind === "exited" ? ended.code : 0;
  const found = stream.failure({ exitCode, usage, prompt, resources, tail: log.tail(), step, root: workspace.paths.root });
  if (found !== undefined) return err(found);
  const finalMessage = stream.finalMessage() ?? "";
  return ok(finalMessage.trim() === "" ? {} : { finalMessage });
}

async function layFiles(agent: Agent, { step, workspace }: AdapterContext): Promise<Result<void>> {
  const files = Object.entries(agent.files?.(step, workspace.paths) ?? {});
  if (files.length === 0) return ok(undefined);
  return workspace.write("temp", new Map(files.map(([name, text]) => [name, { mode: "100644", bytes: Buffer.from(text) } as const])));
}

/** The exit status that a shell gives for a signal. */
function exitedWith(signal: string): SpawnOutcome {
  return { kind: "exited", code: 128 + (constants.signals[signal as NodeJS.Signals] ?? 0) };
}

/** Scripts are run by the Node that wave runs on, which is shown in the sandbox. */
function startOf(program: string): readonly string[] {
  return /\.[cm]?js$/.test(program) ? [process.execPath, program] : [program];
}

/** What every agent needs of its surroundings. */
function surroundings(step: Step, program: string, env: AgentEnvironment): Record<string, string> {
  return {
    // Directories of PATH are shown in the sandbox.
    PATH: [...(env["PATH"] ?? "/usr/bin:/bin").split(path.delimiter), path.dirname(program)].join(path.delimiter),
    // An endpoint on this machine is reached through the proxy too: inside the sandbox loopback is another one.
    ...(endpointsOf(step).some(isLoopback) ? { NO_PROXY: "", no_proxy: "" } : {}),
  };
}

function keyProblem({ name, keys }: Agent, step: Step, env: AgentEnvironment): NoProgram | undefined {
  const declared = keys.filter((key) => step.secrets.includes(key) || step.env[key] !== undefined);
  if (declared.length === 0)
    return {
      detail: `adapter \`${name}\` has no key: nothing of the environment reaches a persona that does not declare it`,
      hint: `write \`secrets: [${keys[0]}]\` at the top of the manifest, in the persona or in the step`,
    };
  if (declared.some((key) => step.env[key] !== undefined || (env[key] ?? "") !== "")) return undefined;
  return { detail: `adapter \`${name}\` has no key: ${declared.join(", ")} is not set`, hint: "set it in the environment of wave" };
}
