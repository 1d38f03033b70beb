/** What a step's persona would be told at its first attempt, by the same template as in a run. */

import path from "node:path";
import { defined } from "../core/defined.ts";
import { isSandboxed, wantsIsolation } from "../core/enforcement.ts";
import type { Step } from "../core/pipeline.ts";
import type { WorkspacePaths } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { assemblePrompt, type PromptSource } from "../prompt/assemble-prompt.ts";
import { withInlineTexts } from "../prompt/inline-text.ts";
import { closest } from "../text/suggest.ts";
import { copiedRoot } from "../workspace/around-copy.ts";
import { attemptDirectory, attemptDirs, pathsOf } from "../workspace/attempt-dirs.ts";
import { pathsInPlace } from "../workspace/shared.ts";
import type { PlannedRun } from "./plan-run.ts";

/** The prompt, and the inputs whose size and digest nobody knows yet. */
export interface ShownPrompt {
  readonly text: string;
  readonly unknown: readonly { readonly name: string; readonly from: string }[];
}

/** Stands for the run's id, which a run gets when it begins. */
const noRun = "RUN";

/** Fails with `usage` for a step that the pipeline does not have. */
export async function promptOf(
  { plan, project, read, store, isolation, env }: PlannedRun,
  id: string,
  runInput?: string,
): Promise<Result<ShownPrompt>> {
  const planned = plan.steps.find(({ step }) => step.id === id);
  if (planned === undefined) {
    const guess = closest(
      id,
      plan.steps.map(({ step }) => step.id),
    );
    const hint = guess === undefined ? `its steps: ${plan.steps.map(({ step }) => step.id).join(", ")}` : `did you mean \`${guess}\`?`;
    return err({ reason: "usage", message: `pipeline \`${plan.pipeline.name}\` has no step \`${id}\``, hint });
  }
  const { step } = planned;
  const paths = pathsFor({ read, store: store, isolation, env }, step);
  const inputs = step.inputs.flatMap(({ name, artifact, from }) => (from === undefined ? [] : [{ name, artifact, from }]));
  const known = inputs.map((input) => ({ ...input, ref: artifactOf(plan, input.from, input.artifact) }));
  // What is not known yet has no size, and so no text.
  const described = known.map(({ name, from, artifact, ref }) => ({
    name,
    from,
    path: path.join(paths.inputs, name),
    mediaType: ref?.mediaType ?? declaredType(plan, from, artifact) ?? "application/octet-stream",
    size: ref?.size ?? 0,
    digest: ref?.digest ?? "sha256:…",
  }));
  const source: PromptSource = {
    step,
    runId: noRun,
    attempt: 1,
    paths,
    files: project.contractFiles,
    inputs: await withInlineTexts(store.blobs, described),
    ...defined({ runInput }),
  };
  return ok({ text: assemblePrompt(source), unknown: known.flatMap(({ name, from, ref }) => (ref === undefined ? [{ name, from }] : [])) });
}

/** Where an attempt would find things: the workspaces decide it. */
function pathsFor(
  { read: { root }, store: { stateDir }, isolation, env }: Pick<PlannedRun, "read" | "store" | "isolation" | "env">,
  step: Step,
): WorkspacePaths {
  if (!wantsIsolation(step)) return pathsInPlace({ root, stateDir, env }, { runId: noRun, step, attempt: 1 }, step.inputs.length > 0);
  const sandboxed = isSandboxed(step, isolation.sandbox);
  const room = attemptDirs(attemptDirectory(stateDir, noRun, step.id, 1));
  const isOwn = step.workspace !== "shared" && (step.workspace === "copy" || !isolation.overlay) && !sandboxed;
  return pathsOf(room, isOwn ? copiedRoot(room, root, sandboxed) : root, sandboxed);
}

/** What equal work left: a run with reuse would hand over that. */
function artifactOf(plan: PlannedRun["plan"], from: string, artifact: string) {
  const work = plan.steps.find(({ step }) => step.id === from)?.work;
  return work?.kind === "equal" ? work.cached.artifacts.find(({ name }) => name === artifact) : undefined;
}

function declaredType(plan: PlannedRun["plan"], from: string, artifact: string): string | undefined {
  return plan.steps.find(({ step }) => step.id === from)?.step.artifacts.find(({ name }) => name === artifact)?.mediaType;
}
