/** `wave artifacts`: the artifacts of a run, or its changes to the project's files. */
import path from "node:path";
import { err, ok, type Result } from "../core/result.ts";
import { type OpenedRun, openRun } from "../engine/open-run.ts";
import { artifactsOf, changesOf, exportRunArtifacts, patchOf, readArtifact, verifyRunArtifacts } from "../engine/run-artifacts.ts";
import { exportedLines, lostLines, renderArtifacts } from "../reporters/console/render-artifacts.ts";
import { changesLines } from "../reporters/console/render-changes.ts";
import { printable } from "../text/printable.ts";
import { type CommandContext, type CommandOutput, defineCommand } from "./define-command.ts";

/** Each excludes the others. */
const modes = ["export", "verify", "changes", "patch"] as const;

export const artifactsCommand = defineCommand({
  name: "artifacts",
  summary: "List, print, export or verify the artifacts of a run, or show its changes",
  details: [
    "--export writes each artifact to DIR/STEP/NAME, with the extension of the file it was collected from. A file that exists with other content is not overwritten.",
    "--verify compares each artifact's bytes with its digest and exits with 4 if one is missing or damaged.",
    "--patch prints the changes in the format that `git apply` reads.",
  ].join(" "),
  args: [
    { name: "[run]", description: "an id, a unique prefix, `latest` (default), or a pipeline's name" },
    { name: "[step]", description: "limit the output to this step" },
    { name: "[artifact]", description: "print the contents of this artifact of the step" },
  ],
  options: [
    { flags: "--export <dir>", description: "write the artifacts to this directory" },
    { flags: "--verify", description: "compare the artifacts' bytes with their digests" },
    { flags: "--changes", description: "list the files that were added, modified and deleted" },
    { flags: "--patch", description: "print the changes as a git patch" },
  ],
  examples: [
    "wave artifacts",
    "wave artifacts latest analyze report",
    "wave artifacts latest --export out",
    "wave artifacts 3f9a --verify",
    "wave artifacts latest --changes",
    "wave artifacts 3f9a implement --patch > work.patch",
  ],
  run: async (context) => {
    const [mode, second] = modes.filter((name) => context.flag(name) || context.text(name) !== undefined);
    if (second !== undefined) return err({ reason: "usage", message: `--${mode} and --${second} cannot be combined` });
    const [selector, id, name] = context.args;
    if (mode !== undefined && name !== undefined) return err({ reason: "usage", message: `--${mode} and an artifact cannot be combined` });
    const opened = await openRun(context.request, selector, id);
    if (!opened.ok) return opened;
    if (mode === "export") return exportTo(context, opened.value);
    if (mode === "verify") return verify(opened.value);
    if (mode !== undefined) return showChanges(context, opened.value, mode);
    if (name !== undefined) return printArtifact(opened.value, name);
    const artifacts = artifactsOf(opened.value);
    return ok({ json: { ok: true, run: opened.value.run.id, artifacts }, text: ({ color }) => renderArtifacts(artifacts, color) });
  },
});

async function printArtifact(opened: OpenedRun, name: string): Promise<Result<CommandOutput>> {
  const bytes = await readArtifact(opened, name);
  return bytes.ok ? ok({ data: bytes.value }) : bytes;
}

async function exportTo({ request, text }: CommandContext, opened: OpenedRun): Promise<Result<CommandOutput>> {
  const exported = await exportRunArtifacts(opened, path.resolve(request.cwd, text("export") ?? ""));
  if (!exported.ok) return exported;
  return ok({ json: { ok: true, run: opened.run.id, artifacts: exported.value }, text: () => exportedLines(exported.value) });
}

async function verify(opened: OpenedRun): Promise<Result<CommandOutput>> {
  const verified = await verifyRunArtifacts(opened);
  if (!verified.ok) return verified;
  const [lost, count] = [verified.value, artifactsOf(opened).length];
  return ok({
    json: { ok: lost.length === 0, run: opened.run.id, verified: count - lost.length, lost },
    text: ({ color }) => lostLines(lost, count, color),
    code: lost.length === 0 ? 0 : 4,
  });
}

async function showChanges({ io, request }: CommandContext, opened: OpenedRun, mode: "changes" | "patch"): Promise<Result<CommandOutput>> {
  const changes = await changesOf(opened);
  if (!changes.ok) return changes;
  if (mode === "patch") {
    const patch = await patchOf(request, opened.store, changes.value);
    if (!patch.ok) return patch;
    for (const file of patch.value.unfiltered) io.stderr.write(`warning: ${printable(file)}: ${notFiltered}\n`);
    return ok({ data: patch.value.text });
  }
  const { id, applied } = opened.run;
  return ok({
    json: { ok: true, run: id, applied, changes: changes.value },
    text: ({ color }) =>
      changes.value.length === 0 ? "no files were changed\n" : `${changesLines(changes.value, { color }).join("\n")}\n`,
  });
}

const notFiltered = "its git filter did not run in the sandbox, so the patch contains the unfiltered file, which `git apply` may refuse";
