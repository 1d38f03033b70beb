/** The Action's outputs, as `action.yml` declares them. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setOutput } from "@actions/core";
import type { Digest } from "../model/digest.ts";
import type { RunRecord } from "../model/state.ts";
import { jsonText } from "../text/json-text.ts";

export interface RunOutputs {
  readonly run: RunRecord;
  /** Work of an earlier attempt, job or workflow run was taken over. */
  readonly resumed: boolean;
  /** The Actions artifact that holds an artifact's bytes; nothing where none does. */
  readonly nameOf: (digest: Digest) => string | undefined;
  readonly temp: string;
}

/** Outputs larger than this are cut by the service, in characters; the report has everything. */
const longest = 500_000;

/** Sets all outputs of `run` and `resume`, and writes the report. Rejects as the file system does. */
export async function setRunOutputs({ run, resumed, nameOf, temp }: RunOutputs): Promise<void> {
  setOutput("run-id", run.id);
  setOutput("status", run.status);
  setOutput("resumed", String(resumed));
  setOutput("steps", within(stepsOf(run)));
  setOutput("artifacts", within(artifactsOf(run, nameOf)));
  await setReport(temp, `run-${run.id}.json`, `${jsonText({ ok: run.status === "passed", run })}\n`);
}

/** Writes a file for later steps of the job, and gives its path as `report`. */
export async function setReport(temp: string, name: string, text: string): Promise<void> {
  const file = path.join(temp, name);
  await writeFile(file, text);
  setOutput("report", file);
}

function stepsOf({ steps }: RunRecord) {
  return Object.fromEntries(
    steps.map(({ id, status, attempts, reusedFrom }) => [id, { status, attempts: attempts.length, reused: reusedFrom !== undefined }]),
  );
}

function artifactsOf({ steps }: RunRecord, nameOf: RunOutputs["nameOf"]) {
  const passed = steps.filter(({ status }) => status === "passed");
  return Object.fromEntries(
    passed.flatMap((step) =>
      step.artifacts.map(({ name, digest, size, mediaType }) => {
        const uploaded = nameOf(digest);
        return [name, { step: step.id, digest, size, mediaType, ...(uploaded === undefined ? {} : { name: uploaded }) }];
      }),
    ),
  );
}

function within(value: unknown): string {
  const text = jsonText(value);
  return text.length <= longest ? text : "{}";
}
