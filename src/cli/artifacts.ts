/** `wave artifacts`: what a run left, as artifacts or as changes to the project's files. */
import path from "node:path";
import { exportArtifacts, type LeftArtifact, verifyArtifacts } from "../blobs/export-artifacts.ts";
import { readChangeset } from "../changeset/read-changeset.ts";
import type { Changeset } from "../core/changeset.ts";
import type { ChangesRef } from "../core/event.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import { locateProject, type ReadonlyRunStore } from "../engine/open-project.ts";
import { exportedLines, lostLines, renderArtifacts } from "../reporters/console/render-artifacts.ts";
import { changesLines } from "../reporters/console/render-changes.ts";
import { blobsOf } from "../store/archived-run.ts";
import { stepOf } from "../store/run-step.ts";
import { printable } from "../text/printable.ts";
import { type Command, fail, flag, type Invocation, jsonOption, manifestOptions, printJson, textOption } from "./define-command.ts";
import { openProjectPast } from "./open-store.ts";
import { projectRequest } from "./project-request.ts";

export const artifactsCommand: Command = {
  name: "artifacts",
  summary: "Show, export or verify what a run left: its artifacts, or its changes to the project's files",
  details: [
    "With --export each artifact becomes the file DIR/STEP/NAME, with the ending of the file that it was collected from; a file that is there with other bytes is not overwritten.",
    "With --verify the bytes of each are compared with its digest, and the exit status is 4 when one is lost.",
    "With --patch the changes are printed as a patch that `git apply` takes.",
  ].join(" "),
  arguments: [
    { name: "[run]", description: "an id, a unique prefix, `latest` (default), or a pipeline's name" },
    { name: "[step]", description: "only what this step left" },
  ],
  options: [
    ...manifestOptions,
    { flags: "--export <dir>", description: "write the artifacts into this directory" },
    { flags: "--verify", description: "compare the artifacts' bytes with their digests" },
    { flags: "--changes", description: "show the files that were added, changed and deleted" },
    { flags: "--patch", description: "print the changes as a git patch on stdout" },
    jsonOption,
  ],
  examples: [
    "wave artifacts",
    "wave artifacts latest --export out",
    "wave artifacts 3f9a --verify",
    "wave artifacts latest --changes",
    "wave artifacts 3f9a implement --patch > work.patch",
  ],
  run: artifacts,
};

/** What may be asked for; each excludes the others. */
const wishes = ["export", "verify", "changes", "patch"] as const;

async function artifacts(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const wished = wishes.filter((wish) => flag(invocation, wish) || textOption(invocation, wish) !== undefined);
  if (wished.length > 1)
    return fail(io, { reason: "usage", message: `--${wished[0]} and --${wished[1]} are two wishes: ask one after the other` }, { json });
  const opened = await openProjectPast(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const [selector, id] = invocation.arguments;
  const found = await opened.value.store.state.findRun(selector ?? "latest");
  if (!found.ok) return fail(io, found.error, { json });
  const run = found.value;
  const store = { ...opened.value.store, blobs: blobsOf(run, opened.value.store.blobs) };
  const step = id === undefined ? ok(undefined) : stepOf(run, id);
  if (!step.ok) return fail(io, step.error, { json });
  const [wish] = wished;
  if (wish === "changes" || wish === "patch") return showChanges(invocation, store, run, id, wish);
  const steps = step.value === undefined ? run.steps : [step.value];
  const left = steps.flatMap(({ id: of, artifacts: own }) => own.map((artifact) => ({ step: of, ...artifact })));
  if (wish === "export") return exportLeft(invocation, store, run, left);
  if (wish === "verify") return verifyLeft(invocation, store, run, left);
  if (json) printJson(io, { ok: true, run: run.id, artifacts: left });
  else io.stdout.write(renderArtifacts(left, io.stdout.color));
  return 0;
}

async function exportLeft(
  invocation: Invocation,
  { blobs }: ReadonlyRunStore,
  run: RunRecord,
  left: readonly LeftArtifact[],
): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const directory = path.resolve(projectRequest(invocation).cwd, textOption(invocation, "export") ?? "");
  const exported = await exportArtifacts(left, directory, blobs);
  if (!exported.ok) return fail(io, exported.error, { json });
  if (json) printJson(io, { ok: true, run: run.id, artifacts: exported.value });
  else io.stdout.write(exportedLines(exported.value));
  return 0;
}

/** Exits with 4 when an artifact is lost, as reading it would. */
async function verifyLeft(
  invocation: Invocation,
  { blobs }: ReadonlyRunStore,
  run: RunRecord,
  left: readonly LeftArtifact[],
): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const lost = await verifyArtifacts(left, blobs);
  if (!lost.ok) return fail(io, lost.error, { json });
  const whole = lost.value.length === 0;
  if (json) printJson(io, { ok: whole, run: run.id, verified: left.length - lost.value.length, lost: lost.value });
  else io.stdout.write(lostLines(lost.value, left.length, io.stdout.color));
  return whole ? 0 : 4;
}

async function showChanges(
  invocation: Invocation,
  store: ReadonlyRunStore,
  run: RunRecord,
  step: string | undefined,
  how: "changes" | "patch",
): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const changes = await changesOf(store, run, step);
  if (!changes.ok) return fail(io, changes.error, { json });
  if (how === "patch") return printPatch(invocation, store, changes.value);
  const lines = changesLines(changes.value, { color: io.stdout.color });
  if (json) printJson(io, { ok: true, run: run.id, applied: run.applied, changes: changes.value });
  else io.stdout.write(lines.length === 0 ? "no files were changed\n" : `${lines.join("\n")}\n`);
  return 0;
}

async function printPatch(invocation: Invocation, { blobs, stateDir }: ReadonlyRunStore, changes: Changeset): Promise<number> {
  const { io } = invocation;
  const located = locateProject(projectRequest(invocation));
  if (!located.ok) return fail(io, located.error);
  const { root } = located.value;
  const [{ exportPatch }, { sandboxedFilter }] = await Promise.all([
    import("../changeset/export-patch.ts"),
    import("../workspace/clean-filter.ts"),
  ]);
  const filter = sandboxedFilter({ root, stateDir, env: io.env });
  try {
    const patch = await exportPatch({ changes, blobs, project: { root, clean: filter.clean } });
    if (!patch.ok) return fail(io, patch.error);
    const { text, unfiltered } = patch.value;
    for (const file of unfiltered) io.stderr.write(`warning: ${printable(file)}: ${notFiltered}\n`);
    io.stdout.writeData(text);
    return 0;
  } finally {
    await filter.close();
  }
}

const notFiltered =
  "its git filter did not run in the sandbox, so the patch contains the file as it is on disk, which `git apply` may refuse";

/** The changes of one step, or of the run as a whole; those are known once all its steps have passed. */
async function changesOf({ blobs }: ReadonlyRunStore, run: RunRecord, step: string | undefined): Promise<Result<Changeset>> {
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
