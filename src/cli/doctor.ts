/** `wave doctor`: what this machine lets wave do, and what it does not. */
import path from "node:path";
import { agentKeys, agentsHere, defaultAgent } from "../adapters/detect-agents.ts";
import { version } from "../core/version.ts";
import { runGitAlone } from "../platform/git.ts";
import { gitVersionIn, isOutdatedGit, oldestGit } from "../platform/git-version.ts";
import { hasMemoryGroups } from "../platform/memory-group.ts";
import { hasMemoryScopes } from "../platform/memory-scope.ts";
import { memoryLimitEnforced } from "../platform/process-group.ts";
import { paletteOf } from "../reporters/console/palette.ts";
import { type Isolation, probeIsolation } from "../sandbox/isolation.ts";
import { fileCapabilities } from "../sandbox/privileges.ts";
import { printable } from "../text/printable.ts";
import { gitRefusal } from "../workspace/base-git.ts";
import { type Command, flag, type Invocation, jsonOption, manifestOptions, printJson } from "./define-command.ts";
import { openProjectStore } from "./open-store.ts";

/** One thing that was looked at. */
interface Finding {
  readonly name: string;
  readonly good: boolean;
  readonly text: string;
}

export const doctorCommand: Command = {
  name: "doctor",
  summary: "Show what this machine lets wave isolate, fence and limit, which agents are ready, and why not the rest",
  details: "It tries each way with a child that does nothing. It changes nothing.",
  arguments: [],
  options: [...manifestOptions, jsonOption],
  examples: ["wave doctor", "wave doctor --json"],
  run: doctor,
};

async function doctor(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const opened = await openProjectStore(invocation);
  const root = opened.ok ? opened.value.read.root : io.cwd;
  const stateDir = opened.ok ? opened.value.store.stateDir : path.join(root, ".wave/state");
  const isolation = await probeIsolation({ root, stateDir, env: io.env });
  const git = await runGitAlone(["--version"]);
  const refusal = await gitRefusal(root);
  const findings = [
    { name: "wave", good: true, text: `${version} on Node ${process.version}, ${process.platform}-${process.arch}` },
    gitFinding(git.ok ? git.value.stdout.toString() : undefined),
    ...(git.ok && refusal !== undefined ? [{ name: "repository", good: false, text: refusal }] : []),
    ...findingsOf(isolation),
    ...agentFindings(io.env),
  ];
  if (flag(invocation, "json")) {
    const { mode, sandbox, overlay, directoryRenames, refused } = isolation;
    const shown = { mode, sandbox, overlay, directoryRenames, refused };
    printJson(io, { ok: true, wave: version, node: process.version, isolation: shown, findings });
    return 0;
  }
  const paint = paletteOf(io.stdout.color);
  const lines = findings.map(
    ({ name, good, text }) => `${good ? paint.green("✓") : paint.yellow("!")} ${name.padEnd(12)} ${printable(text)}`,
  );
  io.stdout.write(`${[...lines, ...isolation.refused.map((reason) => paint.dim(`  ${printable(reason)}`))].join("\n")}\n`);
  return 0;
}

/** `answer` is what `git --version` prints; undefined without git. */
function gitFinding(answer: string | undefined): Finding {
  if (answer === undefined) return { name: "git", good: false, text: "not found" };
  const named = gitVersionIn(answer);
  const outdated = named !== undefined && isOutdatedGit(named);
  const text = answer.trim().replace("git version ", "");
  return { name: "git", good: !outdated, text: outdated ? `${text}: runs in a repository need git ${oldestGit} or newer` : text };
}

function findingsOf({ mode, sandbox, overlay }: Isolation): readonly Finding[] {
  const how = { root: "as root", sudo: "with sudo", "user-namespace": "in a user namespace", none: "" }[mode];
  return [
    {
      name: "sandbox",
      good: sandbox.available,
      text: sandbox.available
        ? `children are fenced, ${how}`
        : "none: children reach whatever you do; denies on files and network end in exit 4",
    },
    ...(sandbox.allOwners === undefined ? [] : [ownersFinding(sandbox.allOwners)]),
    {
      name: "network",
      good: sandbox.network,
      text: sandbox.network ? "can be cut off, or held to hosts by a proxy" : "cannot be restricted",
    },
    {
      name: "workspaces",
      good: overlay,
      text: overlay ? "overlay: nothing is copied" : "copy: each attempt copies the project, with reflinks where it can",
    },
    {
      name: "memory",
      good: memoryLimitEnforced,
      text: memoryLimitText(),
    },
  ];
}

function ownersFinding(good: boolean): Finding {
  const name = "owners";
  return good
    ? { name, good, text: `steps of root use files of every owner in their workspace (${fileCapabilities.join(", ")})` }
    : { name, good, text: "steps of root have only the rights that files' modes give; projects with files of other users end in exit 4" };
}

function agentFindings(env: Invocation["io"]["env"]): readonly Finding[] {
  const chosen = defaultAgent(env);
  const agents = agentsHere(env).map(({ name, key, program }) => {
    const means = key === undefined ? `no key: ${agentKeys[name].join(", ")} is not set` : `${key} is set`;
    return { name, good: key !== undefined, text: `${means}; ${program ?? "npm brings the program when it is first needed"}` };
  });
  const text =
    chosen === undefined
      ? "none where a manifest names none: set `defaults.adapter`, or choose one with --adapter"
      : `${chosen}, where a manifest names none`;
  return [...agents, { name: "adapter", good: chosen !== undefined, text }];
}

function memoryLimitText(): string {
  if (!memoryLimitEnforced) return "limits are not enforced";
  return hasMemoryGroups() || hasMemoryScopes()
    ? "the kernel keeps limits, for all processes of an attempt together"
    : "limits are watched over all processes of an attempt";
}
