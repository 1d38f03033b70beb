/** Renders a plan for people: each step with its dependencies, artifacts, contracts, permissions and the actions of commands. Pure. */
import { endpointsOf } from "../../core/agent-endpoint.ts";
import { isUnchecked } from "../../core/empty-output.ts";
import { hidesGit, isSandboxed, writesRepository } from "../../core/enforcement.ts";
import type { FingerprintRef } from "../../core/event.ts";
import { defaultLimits } from "../../core/limits.ts";
import { unrestrictedOf } from "../../core/permissions.ts";
import type { ContractDefinition, RunBudget, Step } from "../../core/pipeline.ts";
import type { DependencyDirectory, Plan, PlannedStep, PlannedWork } from "../../core/plan.ts";
import { costText } from "../../core/usage.ts";
import { printable, fit as shortened } from "../../text/printable.ts";
import { counted, formatDuration, formatSize } from "../../text/quantity.ts";
import { type Palette, paletteOf } from "./palette.ts";
import { differingParts, partText } from "./part-text.ts";
import {
  actionsOf,
  countActions,
  levelText,
  list,
  type PlanAction,
  type PlanActions,
  ruleLines,
  unenforcedRules,
} from "./render-plan-actions.ts";
import { permissionsOf } from "./render-plan-document.ts";

/** How the tree is drawn. */
export interface TreeStyle {
  readonly color: boolean;
  /** Mark steps with the actions of `run --reuse` instead of `run`. */
  readonly reuse: boolean;
}

const keyWidth = 12;
const taskWidth = 100;

const marks: Readonly<Record<PlanAction, string>> = { run: "+", reuse: "=", recheck: "~", later: "?", blocked: "!" };
const verbs: Readonly<Record<PlanAction, string>> = {
  run: "run",
  reuse: "reused",
  recheck: "rechecked",
  later: "decided later",
  blocked: "blocked",
};

/** The plan as a tree. Ends in a line break. */
export function planAsTree(plan: Plan, style: TreeStyle): string {
  const paint = paletteOf(style.color);
  const blocks = plan.steps.map((planned, at) => stepBlock(planned, plan, style, at === plan.steps.length - 1, paint));
  const notes = footer(plan, paint);
  return `${[...header(plan, paint), "", ...blocks.flat(), ...(notes.length === 0 ? [] : ["", ...notes])].join("\n")}\n`;
}

function header(plan: Plan, paint: Palette): string[] {
  const { name, version, description } = plan.pipeline;
  const title = version === undefined ? name : `${name}@${version}`;
  const actionCounts = (command: keyof PlanActions) =>
    Object.entries(countActions(plan, command))
      .flatMap(([action, count]) => (count === 0 ? [] : [`${count} ${verbs[action as PlanAction]}`]))
      .join(", ");
  const path = plan.criticalPath.length > 8 ? [...plan.criticalPath.slice(0, 4), "…", ...plan.criticalPath.slice(-3)] : plan.criticalPath;
  return [
    `${paint.bold(printable(title))}: ${counted(plan.steps.length, "step")}${description === undefined ? "" : ` · ${printable(description)}`}`,
    `  ${"run".padEnd(13)}  ${actionCounts("run")}`,
    `  ${"run --reuse".padEnd(13)}  ${actionCounts("reuse")}`,
    `  ${"critical path".padEnd(13)}  ${path.join(" → ")} (${plan.criticalPath.length} of ${plan.steps.length})`,
    ...(plan.pipeline.budget === undefined ? [] : [`  ${"budget".padEnd(13)}  ${budgetText(plan.pipeline.budget)}`]),
  ];
}

function stepBlock(planned: PlannedStep, { sandbox }: Plan, style: TreeStyle, last: boolean, paint: Palette): string[] {
  const { step } = planned;
  const action = actionsOf(planned)[style.reuse ? "reuse" : "run"];
  const color = { run: paint.cyan, reuse: paint.green, recheck: paint.yellow, later: paint.dim, blocked: paint.red }[action];
  const rows = [
    ...identityRows(step),
    ...contractRows(planned, sandbox, paint),
    ["work", workText(planned)] as const,
    ...blockRows(planned),
  ];
  const stem = paint.dim(last ? " " : "│");
  return [
    `${paint.dim(last ? "└─" : "├─")} ${color(marks[action])} ${paint.bold(printable(step.id))}  ${personaText(step)}`,
    ...rows.map(([key, value]) => `${stem}      ${paint.dim(key.padEnd(keyWidth))} ${value}`),
    ...(last ? [] : [stem]),
  ];
}

function personaText(step: Step): string {
  const model = step.adapter?.model ?? step.persona.model;
  const how =
    step.adapter === undefined
      ? ["no adapter chosen"]
      : [
          step.adapter.version === undefined ? step.adapter.name : `${step.adapter.name} ${step.adapter.version}`,
          ...(model === undefined ? [] : [model]),
        ];
  return `${printable(step.persona.name)} (${printable(how.join(", "))})${step.optional ? " · optional" : ""}`;
}

type Row = readonly [key: string, value: string];

function identityRows(step: Step): Row[] {
  const rows: Row[] = [];
  if (step.task !== undefined) rows.push(["task", shortened(printable(step.task.trim()), taskWidth)]);
  rows.push(["waits for", step.dependencies.length === 0 ? "nothing" : list(step.dependencies)]);
  const inputs = step.inputs.map(({ name, artifact, from, optional }) => {
    const source = from === undefined ? "no step" : from;
    return `${artifact} from ${source}${name === artifact ? "" : ` as ${name}`}${optional ? " (optional)" : ""}`;
  });
  if (inputs.length > 0) rows.push(["inputs", inputs.join(", ")]);
  const artifacts = step.artifacts.map(({ name, path, optional, implied }) => {
    const notes = [...(path === undefined ? [] : [path]), ...(optional ? ["optional"] : []), ...(implied ? ["named by its contract"] : [])];
    return `${name}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`;
  });
  if (artifacts.length > 0) rows.push(["artifacts", printable(artifacts.join(", "))]);
  return rows;
}

const writableRepository = "the step can write to `.git`; once it has started, Wave runs no git in the project until the run ends";

function contractRows(planned: PlannedStep, sandbox: Plan["sandbox"], paint: Palette): Row[] {
  const { step } = planned;
  const rows: Row[] = step.contracts.map((contract, at) => [at === 0 ? "contracts" : "", contractText(contract)]);
  permissionsOf(planned).forEach(({ kind, rule, level }, at) => {
    const how = level === undefined ? "" : ` (${level === "none" ? paint.yellow(levelText(level)) : levelText(level)})`;
    rows.push([at === 0 ? "permissions" : "", `${kind.padEnd(5)} ${printable(rule)}${how}`]);
  });
  const dropped = step.permissions.layers.flatMap((layer) => layer.dropped ?? []);
  if (dropped.length > 0)
    rows.push(["", paint.yellow(`replace: true drops the inherited ${dropped.map((rule) => `deny ${printable(rule)}`).join(", ")}`)]);
  const open = unrestrictedOf(step.permissions);
  if (open.length > 0) rows.push(["unrestricted", open.join(", ")]);
  if (hidesGit(step, sandbox)) rows.push(["repository", "`.git` is hidden by the `file_read` rules"]);
  const names = [...Object.keys(step.env).sort(), ...step.secrets.map((name) => `${name} (secret)`)];
  if (names.length > 0) rows.push(["sees", names.join(", ")]);
  const endpoints = endpointsOf(step).join(", ");
  if (endpoints !== "") rows.push(["model API", `${endpoints} (always allowed)`]);
  if (isUnchecked(step)) rows.push(["unchecked", paint.yellow("neither an artifact nor a contract checks this step")]);
  if (step.changes !== "optional")
    rows.push(["changes", step.changes === "none" ? "none: a changed file fails the step" : "required: a step that changes nothing fails"]);
  rows.push(["limits", limitsText(step.resources)]);
  if (step.workspace === "shared") {
    rows.push(["workspace", "in place, alone: its changes to the project stay, even if it fails"]);
    rows.push(["repository", writesRepository(step, sandbox) ? paint.yellow(writableRepository) : "`.git` is read-only"]);
  }
  if (step.workspace === "copy") rows.push(["workspace", "copy: a copy of the project for each attempt"]);
  if (step.reuseIgnore.length > 0) rows.push(["reuse", `ignored files that do not count: ${list(step.reuseIgnore)}`]);
  if (step.sandbox === "off") rows.push(["sandbox", paint.yellow("off: it runs although denied permissions are not enforced")]);
  return rows;
}

function budgetText({ timeoutMs, maxTurns, maxTokens, maxCostUsd }: RunBudget): string {
  return [
    ...(timeoutMs === undefined ? [] : [formatDuration(timeoutMs)]),
    ...(maxTurns === undefined ? [] : [counted(maxTurns, "turn")]),
    ...(maxTokens === undefined ? [] : [counted(maxTokens, "token")]),
    ...(maxCostUsd === undefined ? [] : [costText(maxCostUsd)]),
  ].join(", ");
}

function limitsText({ timeoutMs, memoryLimitBytes, diskLimitBytes, maxTurns, maxTokens, maxCostUsd }: Step["resources"]): string {
  const memory = memoryLimitBytes === undefined ? "" : `, memory ${formatSize(memoryLimitBytes)}`;
  const disk = diskLimitBytes === defaultLimits.diskLimitBytes ? "" : `, disk ${formatSize(diskLimitBytes)}`;
  const budget = [
    ...(maxTurns === undefined ? [] : [`, ${counted(maxTurns, "turn")}`]),
    ...(maxTokens === undefined ? [] : [`, ${counted(maxTokens, "token")}`]),
    ...(maxCostUsd === undefined ? [] : [`, ${costText(maxCostUsd)}`]),
  ];
  return `timeout ${formatDuration(timeoutMs)}${memory}${disk}${budget.join("")}`;
}

function contractText(contract: ContractDefinition): string {
  const { name, onFailure, maxRetries, backoff } = contract;
  const waits = backoff.strategy === "none" ? "" : `, ${backoff.strategy} backoff from ${formatDuration(backoff.baseMs)}`;
  const policy = onFailure === "retry" ? `on failure retry, at most ${counted(maxRetries, "time")}${waits}` : `on failure ${onFailure}`;
  return `${printable(name)}: ${printable(requirementText(contract))}; ${policy}`;
}

function requirementText(contract: ContractDefinition): string {
  switch (contract.type) {
    case "json_schema":
      return `${contract.artifact} matches ${contract.schema}`;
    case "test_suite":
      return `\`${typeof contract.command === "string" ? contract.command : contract.command.join(" ")}\` passes within ${formatDuration(contract.timeoutMs)}${contract.protect.length === 0 ? "" : `, with protected files restored: ${contract.protect.join(", ")}`}`;
  }
}

function workText(planned: PlannedStep): string {
  const { work } = planned;
  const actions = actionsOf(planned);
  if (actions.run === actions.reuse && actions.reuse === actions.resume)
    return `${reasonText(work)} · run, run --reuse and resume: ${verbs[actions.run]}`;
  const resumed = work.kind === "equal" || work.kind === "recheck" ? `resume ${work.cached.run}: kept` : `resume: ${verbs[actions.resume]}`;
  return `${reasonText(work)} · run: ${verbs[actions.run]} · run --reuse: ${verbs[actions.reuse]} · ${resumed}`;
}

function reasonText(work: PlannedWork): string {
  switch (work.kind) {
    case "equal":
      return `unchanged since it passed in run ${work.cached.run}`;
    case "recheck":
      return `unchanged since it passed in run ${work.cached.run}, with other contracts${changedText(work.fingerprint, work.cached.fingerprint)}`;
    case "new":
      return work.changed.length === 0
        ? "never passed before"
        : `changed${work.since === undefined ? "" : ` since run ${work.since.run}`}: ${work.changed.map(partText).join(", ")}`;
    case "unknown":
      return `decided once ${list(work.after)} ${work.after.length === 1 ? "has" : "have"} ended`;
  }
}

function blockRows({ blocked }: PlannedStep): Row[] {
  switch (blocked?.kind) {
    case undefined:
      return [];
    case "circuit": {
      const { contract, failed, window, retryAt } = blocked;
      const why = `its circuit is open until ${retryAt}: ${failed} of the last ${window} attempts failed contract ${printable(contract)}`;
      return [["blocked", `${why}; --reset-circuit closes it`]];
    }
    case "upstream":
      return [["blocked", `waits for ${list(blocked.steps)}, which cannot start`]];
  }
}

function changedText(now: FingerprintRef, before: FingerprintRef): string {
  const parts = differingParts(now, before);
  return parts.length === 0 ? "" : ` (changed: ${parts.map(partText).join(", ")})`;
}

function footer(plan: Plan, paint: Palette): string[] {
  const { refused, exposed } = unenforcedRules(plan);
  const lines: string[] = [];
  if (refused.size > 0) {
    lines.push(paint.red("`wave run` refuses this plan (exit 4): nothing in this environment enforces"), ...ruleLines(refused));
    lines.push("Write `sandbox: off` (in the step, or at the top of the manifest) to run without them.");
  }
  if (exposed.size > 0) lines.push(paint.yellow("Not enforced; the run starts anyway:"), ...ruleLines(exposed));
  lines.push(...isolationLines(plan), ...(plan.dependencyDirectories ?? []).map(dependencyLine));
  return lines;
}

function dependencyLine({ path, lockfile }: DependencyDirectory): string {
  return `For reuse, ${printable(path)} is compared by ${printable(lockfile)} and the names and sizes of its files.`;
}

const rootRights =
  "Wave runs as root: in the sandbox, steps can use files of every owner and become any user (chown, dac_override, fowner, fsetid, setuid, setgid).";
const noRootRights = "Wave runs as root, but in the sandbox steps have no rights to files of other owners; `wave doctor` reports why.";

/** Notes on isolation: steps that can reach more than their workspace, and the limits of the sandbox here. */
function isolationLines({ steps, sandbox, directoryRenames = true, unshownPlaces = [] }: Plan): string[] {
  const inPlace = steps.filter(({ step }) => step.workspace === "shared").length;
  const lines: string[] = [];
  if (inPlace === steps.length) lines.push("Steps run in the project itself: their changes stay, even if they fail.");
  const open = steps.filter(({ step }) => step.workspace !== "shared" && !isSandboxed(step, sandbox)).map(({ step }) => step.id);
  if (open.length > 0) lines.push(`No sandbox for ${list(open)}: their processes can reach files outside the workspace.`);
  const hasSandbox = steps.some(({ step }) => isSandboxed(step, sandbox));
  if (hasSandbox && sandbox.allOwners !== undefined) lines.push(sandbox.allOwners ? rootRights : noRootRights);
  const shown = [...new Set(steps.flatMap(({ step }) => (isSandboxed(step, sandbox) ? (step.sandboxShow ?? []) : [])))];
  const [unshown, visible] = [
    shown.filter((place) => unshownPlaces.includes(place)),
    shown.filter((place) => !unshownPlaces.includes(place)),
  ];
  if (visible.length > 0) lines.push(`The sandbox also shows ${list(visible)}.`);
  if (unshown.length > 0) lines.push(`The sandbox cannot show ${list(unshown)}: not found here, or not open to every user.`);
  const overlays = steps.filter(({ step }) => step.workspace === "default").map(({ step }) => step.id);
  if (!directoryRenames && overlays.length > 0)
    lines.push(
      `Directories of the project cannot be renamed here in ${list(overlays)}; \`workspace: { provider: copy }\` on a step allows it.`,
    );
  return lines;
}
