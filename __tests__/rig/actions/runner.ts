/**
 * A runner that runs one action of this repository as GitHub's does: inputs with their defaults, variables, files, workflow commands, the post step,
 * and cancellation by SIGINT, SIGTERM and SIGKILL. It runs the committed bundle on the Node that `action.yml` names.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach } from "vitest";
import { parse } from "yaml";
import { repository } from "../project.ts";
import { node24 } from "./node24.ts";
import { type Annotation, readFileCommands, runnerLog } from "./workflow-commands.ts";

export interface JobRequest {
  /** The checkout. */
  readonly workspace: string;
  readonly inputs?: Readonly<Record<string, string>>;
  /** Variables of the workflow, such as secrets in `env`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the results service. */
  readonly service?: Readonly<Record<string, string>>;
  /** The payload; a text is written as it is. */
  readonly event?: unknown;
  readonly eventName?: string;
  readonly attempt?: number;
  readonly runId?: number;
  readonly job?: string;
  readonly ref?: string;
  readonly sha?: string;
  readonly actor?: string;
  readonly apiUrl?: string;
  readonly serverUrl?: string;
  /** Who re-runs the job; defaults to `actor`. */
  readonly triggeringActor?: string;
  /** RUNNER_TEMP, which the uses of an action in one job share; default: a directory of this use. */
  readonly runnerTemp?: string;
  /** GITHUB_WORKFLOW_REF; not set by default. */
  readonly workflowRef?: string;
  /** `toJSON(matrix)`. */
  readonly matrix?: unknown;
  /** Cancels the job at a line of its log, as the button does. */
  readonly cancelAt?: (line: string) => boolean;
  /** Kills the machine at a line: neither the rest nor `post` happens. */
  readonly killAt?: (line: string) => boolean;
  /** Kills the machine once the outputs that are set so far fulfil it. */
  readonly killWhen?: (outputs: Readonly<Record<string, string>>) => boolean;
}

export interface JobResult {
  readonly code: number | null;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly annotations: readonly Annotation[];
  readonly masks: readonly string[];
  readonly refused: readonly string[];
  readonly log: string;
  /** Milliseconds from the cancellation to the end of `main`. */
  readonly cancelledInMs?: number;
  readonly post?: { readonly code: number | null; readonly log: string; readonly annotations: readonly Annotation[] };
}

interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly runs: { readonly using: string; readonly main: string; readonly post: string };
}

const action = parse(readFileSync(path.join(repository, "action.yml"), "utf8")) as ActionFile;
const open: { directory: string; children: Set<ChildProcess> }[] = [];

afterEach(() => {
  for (const { directory, children } of open.splice(0)) {
    for (const child of children) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
});

/** Runs `main`, then `post`. Each job has a directory of its own for the runner's files. */
export async function runJob(request: JobRequest): Promise<JobResult> {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-runner-"));
  const children = new Set<ChildProcess>();
  open.push({ directory, children });
  const files = Object.fromEntries(["output", "state", "env", "path", "step_summary"].map((name) => [name, path.join(directory, name)]));
  for (const file of Object.values(files)) writeFileSync(file, "");
  mkdirSync(path.join(directory, "temp"));
  mkdirSync(path.join(directory, "home"));
  const env = variables(request, directory, files);
  const main = await step(action.runs.main, request, env, children);
  const state = readFileCommands(readFileSync(files["state"] ?? "", "utf8"));
  const killed = main.killed;
  const stateVariables = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));
  const { cancelAt: _cancel, killAt: _kill, killWhen: _killWhen, ...calm } = request;
  const post = killed ? undefined : await step(action.runs.post, calm, { ...env, ...stateVariables }, children);
  return {
    ...main,
    outputs: readFileCommands(readFileSync(files["output"] ?? "", "utf8")),
    state,
    summary: readFileSync(files["step_summary"] ?? "", "utf8"),
    ...(post === undefined ? {} : { post }),
  };
}

function variables(request: JobRequest, directory: string, files: Readonly<Record<string, string>>): Record<string, string> {
  const { workspace, event = {}, eventName = "push", attempt = 1, runId = 100, job = "build", actor = "mona" } = request;
  const eventFile = path.join(directory, "event.json");
  // GitHub names the sender in every payload.
  const sender = { login: actor, type: actor.endsWith("[bot]") ? "Bot" : "User" };
  writeFileSync(eventFile, typeof event === "string" ? event : JSON.stringify({ sender, ...(event as object) }));
  const given = {
    ...Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, defaultOf(input.default ?? "", request)])),
    ...request.inputs,
  };
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: path.join(directory, "home"),
    LANG: "C.UTF-8",
    ...request.env,
    ...{ CI: "true", GITHUB_ACTIONS: "true", GITHUB_ACTION: "__wave_run", GITHUB_WORKFLOW: "review", GITHUB_JOB: job, GITHUB_ACTOR: actor },
    ...{ GITHUB_REPOSITORY: "octo/demo", GITHUB_RUN_ID: String(runId), GITHUB_RUN_NUMBER: "1", GITHUB_RUN_ATTEMPT: String(attempt) },
    ...{
      GITHUB_EVENT_NAME: eventName,
      GITHUB_EVENT_PATH: eventFile,
      GITHUB_WORKSPACE: workspace,
      GITHUB_TRIGGERING_ACTOR: request.triggeringActor ?? actor,
    },
    ...{
      GITHUB_REF: request.ref ?? "refs/heads/main",
      GITHUB_SHA: request.sha ?? "a".repeat(40),
      GITHUB_API_URL: request.apiUrl ?? "http://127.0.0.1:9",
    },
    ...{ RUNNER_OS: "Linux", RUNNER_ARCH: "X64", RUNNER_NAME: "rig", RUNNER_TEMP: request.runnerTemp ?? path.join(directory, "temp") },
    ...(request.workflowRef === undefined ? {} : { GITHUB_WORKFLOW_REF: request.workflowRef }),
    GITHUB_SERVER_URL: request.serverUrl ?? "https://github.com",
    ...Object.fromEntries(Object.entries(files).map(([name, file]) => [`GITHUB_${name.toUpperCase()}`, file])),
    ...request.service,
    ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase().replaceAll(" ", "_")}`, value])),
  };
}

/** The expressions that `action.yml` uses for defaults. */
function defaultOf(text: string, request: JobRequest): string {
  return text.replace(/\$\{\{ *(.+?) *\}\}/g, (_whole, expression: string) => {
    if (expression === "github.token") return "ghs_rigtoken0000000000000000000000000000";
    if (expression === "toJSON(matrix)") return JSON.stringify(request.matrix ?? null, null, 2);
    throw new Error(`action.yml uses an expression that the rig does not know: ${expression}`);
  });
}

async function step(script: string, request: Partial<JobRequest>, env: Record<string, string>, children: Set<ChildProcess>) {
  const child = spawn(node24(), [path.join(repository, script)], { cwd: request.workspace, env, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  const log = runnerLog();
  const timers: NodeJS.Timeout[] = [];
  let cancelledAt: number | undefined;
  let killed = false;
  const cancel = () => {
    if (cancelledAt !== undefined) return;
    cancelledAt = performance.now();
    child.kill("SIGINT");
    timers.push(
      setTimeout(() => child.kill("SIGTERM"), 7500),
      setTimeout(() => child.kill("SIGKILL"), 10_000),
    );
  };
  const outputs = () => readFileCommands(readFileSync(env["GITHUB_OUTPUT"] ?? "", "utf8"));
  const watch = setInterval(() => {
    if (!killed && request.killWhen?.(outputs()) === true) killed = child.kill("SIGKILL");
  }, 50);
  const streams = [child.stdout, child.stderr].map(
    (input) =>
      new Promise<void>((resolve) => {
        const lines = createInterface({ input });
        lines.on("line", (line) => {
          log.read(line);
          if (request.killAt?.(line) === true) killed = child.kill("SIGKILL");
          if (request.cancelAt?.(line) === true) cancel();
        });
        lines.on("close", resolve);
      }),
  );
  const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  const endedAt = performance.now();
  for (const timer of [...timers, watch]) clearTimeout(timer);
  await Promise.all(streams);
  const { annotations, masks, refused, lines } = log;
  const late = cancelledAt === undefined ? {} : { cancelledInMs: endedAt - cancelledAt };
  return { code, annotations, masks, refused, log: lines.join("\n"), killed, ...late };
}
