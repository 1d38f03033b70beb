/** Reports what this machine supports: isolation, sandbox, limits, git and agents. Probes with no-op processes and changes nothing. */
import path from "node:path";
import { agentKeys, defaultAgent, detectAgents } from "../adapters/detect-agents.ts";
import { defaultStateLocation } from "../core/limits.ts";
import { version } from "../core/version.ts";
import { runGitAlone } from "../platform/git.ts";
import { gitVersionIn, isOutdatedGit, oldestGit } from "../platform/git-version.ts";
import { hasMemoryGroups } from "../platform/memory-group.ts";
import { hasMemoryScopes } from "../platform/memory-scope.ts";
import { memoryLimitEnforced } from "../platform/process-group.ts";
import { type Isolation, probeIsolation } from "../sandbox/isolation.ts";
import { fileCapabilities } from "../sandbox/privileges.ts";
import { gitRefusal } from "../workspace/base-git.ts";
import type { Environment, ProjectRequest } from "./open-project.ts";
import { openProjectStore } from "./open-run.ts";

/** The state of one feature of the machine. */
export interface MachineFinding {
  readonly name: string;
  readonly good: boolean;
  readonly text: string;
}

export interface MachineReport {
  readonly isolation: Pick<Isolation, "mode" | "sandbox" | "overlay" | "directoryRenames" | "refused">;
  readonly findings: readonly MachineFinding[];
}

/** Checks the machine for the project, or for the current directory if there is no project. */
export async function checkMachine(request: ProjectRequest): Promise<MachineReport> {
  const { env } = request;
  const opened = await openProjectStore(request);
  const root = opened.ok ? opened.value.read.root : request.cwd;
  const stateDir = opened.ok ? opened.value.store.stateDir : path.join(root, defaultStateLocation);
  const isolation = await probeIsolation({ root, stateDir, env });
  const git = await runGitAlone(["--version"]);
  const refusal = await gitRefusal(root);
  const { mode, sandbox, overlay, directoryRenames, refused } = isolation;
  return {
    isolation: { mode, sandbox, overlay, directoryRenames, refused },
    findings: [
      { name: "wave", good: true, text: `${version} on Node ${process.version}, ${process.platform}-${process.arch}` },
      gitFinding(git.ok ? git.value.stdout.toString() : undefined),
      ...(git.ok && refusal !== undefined ? [{ name: "repository", good: false, text: refusal }] : []),
      ...isolationFindings(isolation),
      ...agentFindings(env),
    ],
  };
}

/** `answer` is the output of `git --version`; undefined without git. */
function gitFinding(answer: string | undefined): MachineFinding {
  if (answer === undefined) return { name: "git", good: false, text: "not found" };
  const found = gitVersionIn(answer);
  const outdated = found !== undefined && isOutdatedGit(found);
  const text = answer.trim().replace("git version ", "");
  return { name: "git", good: !outdated, text: outdated ? `${text}: runs in a repository need git ${oldestGit} or newer` : text };
}

function isolationFindings({ mode, sandbox, overlay }: Isolation): readonly MachineFinding[] {
  const how = { root: "as root", sudo: "with sudo", "user-namespace": "in a user namespace", none: "" }[mode];
  return [
    {
      name: "sandbox",
      good: sandbox.available,
      text: sandbox.available
        ? `available ${how}`
        : "not available: steps can reach everything you can; rules that deny files or network end in exit 4",
    },
    ...(sandbox.allOwners === undefined ? [] : [ownersFinding(sandbox.allOwners)]),
    {
      name: "network",
      good: sandbox.network,
      text: sandbox.network ? "can be turned off, or limited to hosts by a proxy" : "cannot be restricted",
    },
    {
      name: "workspaces",
      good: overlay,
      text: overlay ? "overlay: no files are copied" : "copy: each attempt copies the project, with reflinks if the file system has them",
    },
    { name: "memory", good: memoryLimitEnforced, text: memoryLimitText() },
  ];
}

function ownersFinding(good: boolean): MachineFinding {
  const text = good
    ? `steps of root can use files of every owner in their workspace (${fileCapabilities.join(", ")})`
    : "steps of root can use only files that their modes allow; projects with files of other users end in exit 4";
  return { name: "owners", good, text };
}

function agentFindings(env: Environment): readonly MachineFinding[] {
  const chosen = defaultAgent(env);
  const agents = detectAgents(env).map(({ name, key, program }) => {
    const access = key === undefined ? `no API key (set ${listOf(agentKeys[name])})` : `${key} is set`;
    return { name, good: key !== undefined, text: `${access}; ${program ?? "the CLI is installed with npm on first use"}` };
  });
  const text =
    chosen === undefined
      ? "no default adapter: set `defaults.adapter` or pass --adapter"
      : `${chosen} is used if the manifest does not name an adapter`;
  return [...agents, { name: "adapter", good: chosen !== undefined, text }];
}

/** `A, B or C`. */
function listOf(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function memoryLimitText(): string {
  if (!memoryLimitEnforced) return "limits are not enforced";
  return hasMemoryGroups() || hasMemoryScopes()
    ? "the kernel enforces limits over all processes of an attempt"
    : "Wave measures all processes of an attempt and enforces limits";
}
