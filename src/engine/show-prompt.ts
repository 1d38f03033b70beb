/** Shows the prompt of a step's first attempt, assembled as in a run. */
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

/** The prompt. `unknown`: inputs whose size and digest are placeholders because they do not exist yet. */
export interface ShownPrompt {
  readonly text: string;
  readonly unknown: readonly { readonly name: string; readonly from: string }[];
}

/** A placeholder for the run's id. */
const noRun = "RUN";

/** Fails with `usage` for a step that the pipeline does not have. */
export async function promptOfStep(
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
  const paths = pathsFor({ read, store, isolation, env }, step);
  const inputs = step.inputs.flatMap(({ name, artifact, from }) => (from === undefined ? [] : [{ name, artifact, from }]));
  const resolved = inputs.map((input) => ({ ...input, ref: artifactOf(plan, input.from, input.artifact) }));
  const described = resolved.map(({ name, from, artifact, ref }) => ({
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
  return ok({
    text: assemblePrompt(source),
    unknown: resolved.flatMap(({ name, from, ref }) => (ref === undefined ? [{ name, from }] : [])),
  });
}

/** The paths of an attempt, as the workspace providers choose them. */
function pathsFor(
  { read: { root }, store: { stateDir }, isolation, env }: Pick<PlannedRun, "read" | "store" | "isolation" | "env">,
  step: Step,
): WorkspacePaths {
  if (!wantsIsolation(step)) return pathsInPlace({ root, stateDir, env }, { runId: noRun, step, attempt: 1 }, step.inputs.length > 0);
  const sandboxed = isSandboxed(step, isolation.sandbox);
  const dirs = attemptDirs(attemptDirectory(stateDir, noRun, step.id, 1));
  const isOwn = step.workspace !== "shared" && (step.workspace === "copy" || !isolation.overlay) && !sandboxed;
  return pathsOf(dirs, isOwn ? copiedRoot(dirs, root, sandboxed) : root, sandboxed);
}

/** The artifact of a cached result, which a run with reuse would use. */
function artifactOf(plan: PlannedRun["plan"], from: string, artifact: string) {
  const work = plan.steps.find(({ step }) => step.id === from)?.work;
  return work?.kind === "equal" ? work.cached.artifacts.find(({ name }) => name === artifact) : undefined;
}

function declaredType(plan: PlannedRun["plan"], from: string, artifact: string): string | undefined {
  return plan.steps.find(({ step }) => step.id === from)?.step.artifacts.find(({ name }) => name === artifact)?.mediaType;
}
