/** `wave artifacts`: what a run left, as artifacts or as changes to the project's files. */
import type { Changeset } from "../model/changeset.ts";
import type { ChangesRef } from "../model/event.ts";
import { err, ok, type Result } from "../model/result.ts";
import type { RunRecord } from "../model/state.ts";
import type { Memory } from "../open-project.ts";
import { renderArtifacts } from "../report/render-artifacts.ts";
import { changesLines } from "../report/render-changes.ts";
import { readChangeset } from "../workspace/changeset/keep-changes.ts";
import { type Command, fail, flag, type Invocation, jsonOption, manifestOptions } from "./command.ts";
import { openProjectMemory } from "./open-memory.ts";

export const artifactsCommand: Command = {
  name: "artifacts",
  summary: "Show what a run left: its artifacts, or its changes to the project's files",
  details: "With --patch the changes are printed as a patch that `git apply` takes.",
  arguments: [
    { name: "[run]", description: "an id, a unique prefix, `latest` (default), or a pipeline's name" },
    { name: "[step]", description: "only what this step left" },
  ],
  options: [
    ...manifestOptions,
    { flags: "--changes", description: "show the files that were added, changed and deleted" },
    { flags: "--patch", description: "print the changes as a git patch on stdout" },
    jsonOption,
  ],
  examples: ["wave artifacts", "wave artifacts latest --changes", "wave artifacts 3f9a implement --patch > work.patch"],
  run: artifacts,
};

async function artifacts(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const opened = await openProjectMemory(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const { memory } = opened.value;
  const [selector, step] = invocation.arguments;
  const found = await memory.state.findRun(selector ?? "latest");
  if (!found.ok) return fail(io, found.error, { json });
  const run = found.value;
  const steps = step === undefined ? run.steps : run.steps.filter(({ id }) => id === step);
  if (steps.length === 0) {
    const known = run.steps.map(({ id }) => id).join(", ");
    return fail(io, { reason: "usage", message: `run ${run.id} has no step \`${step}\``, hint: `its steps: ${known}` }, { json });
  }
  if (!flag(invocation, "changes") && !flag(invocation, "patch")) {
    const left = steps.flatMap(({ id, artifacts: own }) => own.map((artifact) => ({ step: id, ...artifact })));
    io.stdout.write(json ? `${JSON.stringify({ ok: true, run: run.id, artifacts: left })}\n` : renderArtifacts(left, io.stdout.color));
    return 0;
  }
  const changes = await changesOf(memory, run, step);
  if (!changes.ok) return fail(io, changes.error, { json });
  if (flag(invocation, "patch")) return printPatch(invocation, memory, changes.value);
  const lines = changesLines(changes.value, { color: io.stdout.color });
  if (json) io.stdout.write(`${JSON.stringify({ ok: true, run: run.id, applied: run.applied, changes: changes.value })}\n`);
  else io.stdout.write(lines.length === 0 ? "no files were changed\n" : `${lines.join("\n")}\n`);
  return 0;
}

async function printPatch({ io }: Invocation, { blobs }: Memory, changes: Changeset): Promise<number> {
  const { exportPatch } = await import("../workspace/changeset/export-patch.ts");
  const patch = await exportPatch({ changes, blobs });
  if (!patch.ok) return fail(io, patch.error);
  io.stdout.write(patch.value);
  return 0;
}

/** The changes of one step, or of the run as a whole; those are known once all its steps have passed. */
async function changesOf({ blobs }: Memory, run: RunRecord, step: string | undefined): Promise<Result<Changeset>> {
  const ref: ChangesRef | undefined = step === undefined ? run.changes : run.steps.find(({ id }) => id === step)?.changes;
  if (ref !== undefined) return readChangeset(blobs, ref.digest);
  const some = run.steps.filter(({ changes }) => changes !== undefined).map(({ id }) => id);
  if (step !== undefined || some.length === 0) return ok([]);
  return err({
    reason: "usage",
    message: `run ${run.id} has no changes as a whole: it did not pass`,
    hint: `name one of the steps that changed files: ${some.join(", ")}`,
  });
}
