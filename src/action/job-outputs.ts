/** The Action's outputs, as `action.yml` declares them. */

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setOutput } from "@actions/core";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import type { RunRecord } from "../core/state.ts";
import { jsonText } from "../text/json-text.ts";

export interface RunOutputs {
  readonly run: RunRecord;
  /** Work of an earlier attempt, job or workflow run was taken over. */
  readonly resumed: boolean;
  /** The Actions artifact that holds an artifact's bytes; nothing where none does. */
  readonly nameOf: (digest: Digest) => string | undefined;
  readonly temp: string;
  readonly warn: (text: string) => void;
}

/** The service drops larger outputs. In characters; the report has everything. */
const longest = 500_000;

/** Sets all outputs of `run` and `resume`, and writes the report. Rejects as the file system does. */
export async function setRunOutputs({ run, resumed, nameOf, temp, warn }: RunOutputs): Promise<void> {
  setOutput("run-id", run.id);
  setOutput("status", run.status);
  setOutput("resumed", String(resumed));
  for (const [name, entries] of [
    ["steps", stepsOf(run)],
    ["artifacts", artifactsOf(run, nameOf)],
  ] as const) {
    const { text, omitted } = outputText(entries);
    setOutput(name, text);
    if (omitted > 0)
      warn(`The output \`${name}\` is too long: ${omitted} of its entries are only in the file that the output \`report\` names.`);
  }
  await setReport(temp, `run-${run.id}.json`, `${jsonText({ ok: run.status === "passed", run })}\n`);
}

/** Writes a file for later steps of the job, and gives its path as `report`. */
export async function setReport(temp: string, name: string, text: string): Promise<void> {
  const file = path.join(temp, name);
  await writeFile(file, text);
  setOutput("report", file);
}

type Entries = readonly (readonly [key: string, value: unknown])[];

function stepsOf({ steps }: RunRecord): Entries {
  return steps.map(({ id, status, attempts, reusedFrom }) => [id, { status, attempts: attempts.length, reused: reusedFrom !== undefined }]);
}

/** By name; a name that several steps have is that of the last one, and each of them is also `STEP/NAME`. */
function artifactsOf({ steps }: RunRecord, nameOf: RunOutputs["nameOf"]): Entries {
  const passed = steps.filter(({ status }) => status === "passed");
  const all = passed.flatMap((step) => step.artifacts.map((artifact) => ({ step: step.id, ...artifact })));
  const last = new Map(all.map((artifact) => [artifact.name, artifact]));
  const counts = new Map<string, number>();
  for (const { name } of all) counts.set(name, (counts.get(name) ?? 0) + 1);
  return all.flatMap((artifact) => {
    const { step, name, digest, size, mediaType } = artifact;
    const uploaded = nameOf(digest);
    const value = { step, digest, size, mediaType, ...defined({ name: uploaded }) };
    return [
      ...(last.get(name) === artifact ? [[name, value] as const] : []),
      ...((counts.get(name) ?? 0) > 1 ? [[`${step}/${name}`, value] as const] : []),
    ];
  });
}

/** No step or artifact has a name with a slash at its start. */
const omittedKey = "/omitted";

/** The first entries, as JSON, that fit; `/omitted` counts the others. */
export function outputText(entries: Entries): { readonly text: string; readonly omitted: number } {
  let room = longest - jsonText({ [omittedKey]: entries.length }).length;
  const kept = entries.findIndex(([key, value]) => {
    room -= jsonText({ [key]: value }).length;
    return room < 0;
  });
  const omitted = kept < 0 ? 0 : entries.length - kept;
  const shown = Object.fromEntries(kept < 0 ? entries : entries.slice(0, kept));
  return { text: jsonText(omitted === 0 ? shown : { ...shown, [omittedKey]: omitted }), omitted };
}
