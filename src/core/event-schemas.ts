/**
 * Schemas of the journal's events, one per type. The types in `event.ts` are inferred from them.
 * `schema/events.schema.json`, `docs/events.md` and the shapes that readers check are generated from them. Imported
 * only for types and by the generator: no bundle contains these schemas.
 */
import { Type } from "typebox";
import { count, digest, digests, flag, strictMap, text, texts, usage } from "./event-members.ts";
import type { ContractResult, Failure } from "./failure.ts";

const failure = (description: string) =>
  Type.Unsafe<Failure>({
    type: "object",
    required: ["reason"],
    properties: { reason: { type: "string", description: "Kind of failure. Each kind has its own additional members." } },
    description,
  });
const durationMs = (of: string) => Type.Number({ minimum: 0, description: `Duration of ${of}, in milliseconds.` });
const onFailure = Type.Enum(["finish", "stop", "keep-going"], { description: "What to do with the other steps when one fails." });
const concurrency = count("Maximum number of steps that run at the same time.", 1);
const step = text("Id of the step.");
const attempt = count("Number of the attempt at this step, from 1.", 1);
const part = Type.Optional(texts("Ids of the steps that this process executes. Defaults to all steps."));
const log = Type.Optional(digest("Blob with the attempt's output, redacted. Absent if there was no output."));

export const Fingerprint = Type.Object(
  {
    work: digest("Digest over everything that the step's output depends on."),
    gate: digest("Digest over the contracts and the files that they name."),
    parts: digests("Digests of the parts, by name. Compare them to see why two fingerprints differ."),
  },
  strictMap("Digests of everything that a step's result depends on."),
);

export const ChangesRecord = Type.Object(
  {
    digest: digest("Blob that lists the changes."),
    added: count("Number of added paths."),
    changed: count("Number of modified paths."),
    deleted: count("Number of deleted paths."),
    ignored: Type.Optional(
      Type.Object(
        {
          count: count("Number of paths. The contents of a directory are not counted.", 1),
          paths: Type.Array(Type.String(), { description: "The first 20 paths. Directories end in `/`." }),
        },
        strictMap("New paths that are not part of the changeset because a step changed `.gitignore` and it now ignores them."),
      ),
    ),
  },
  strictMap("Changeset of an attempt or a run."),
);

export const ArtifactRecord = Type.Object(
  {
    name: text("Name of the artifact."),
    digest: digest("Blob with its contents."),
    size: count("Size in bytes."),
    mediaType: text("Media type."),
    source: text("Where it was found: a path in the workspace, `output/NAME`, or `message`."),
  },
  strictMap("Named output of a step."),
);
const artifacts = Type.Array(ArtifactRecord, { description: "Artifacts that the step produced." });

const ContractResultBody = Type.Unsafe<ContractResult>({
  type: "object",
  required: ["name", "type", "verdict", "violations", "durationMs", "onFailure"],
  description:
    "The contract's `name` and `type`, its `verdict` (`pass`, `fail`, `error`), its `violations`, `durationMs`, `onFailure` (`halt`, `retry`, `warn`), the `tail` of its command's output, and `exceeded`, the limit that stopped its evaluation (`what`: `time`, `memory`, `size`; `max`; `actual`).",
});

export const Base = Type.Object(
  {
    kind: Type.Enum(["git", "files"], {
      description: "How the tree was read: from git's index (`git`), or from the file system (`files`).",
    }),
    head: Type.Optional(text("Commit that was checked out.")),
    tree: digest("Digest over the whole tree."),
    ignored: Type.Optional(
      digests("Digests over the files ignored by git, by a key for the file permissions and the patterns of `reuse.ignore`."),
    ),
    views: digests("Digests over the part of the tree that a step may read, by a key for the file permissions."),
  },
  strictMap("The project's tree when the run started."),
);

const nodes = Type.Array(
  Type.Object(
    {
      id: text("Id of the node, which is the id of its step."),
      kind: Type.Enum(["work"], { description: "Kind of the node. `work`: a step that a persona executes." }),
      persona: text("Name of its persona."),
      dependencies: texts("Ids of the steps that it depends on."),
      optional: flag("Whether the run may pass even if this step fails."),
      contracts: texts("Names of its contracts."),
    },
    strictMap("Node of the pipeline's graph."),
  ),
  { description: "Nodes in manifest order." },
);

export const eventSchemas = {
  "writer-opened": Type.Object(
    {
      pid: Type.Integer({ description: "Process id." }),
      processStart: text("Start of the process, in an opaque format of the platform. Empty if the platform does not report it."),
      host: text("Host name. On GitHub, followed by `/github/`, the workflow run and its attempt."),
      wave: text("Version of Wave."),
      node: text("Version of Node."),
      platform: text("Operating system and architecture."),
    },
    strictMap("The first line of a journal. It identifies the process that writes the journal."),
  ),
  "run-started": Type.Object(
    {
      pipeline: text("Name of the pipeline."),
      version: Type.Optional(text("Version of the pipeline, if it has one.")),
      manifest: digest("Blob that lists the manifest and every file that it names, as of the start of the run."),
      options: Type.Object(
        {
          files: texts("Paths of the manifest files, relative to the project."),
          environment: Type.Optional(text("Environment whose overlay was added (`--env`).")),
          adapter: Type.Optional(text("Adapter that was set for every persona (`--adapter`).")),
          concurrency,
          onFailure,
          reuse: flag("Whether results of earlier runs are reused."),
          apply: Type.Optional(flag("Whether to apply the changes to the project if the run passes. Defaults to true.")),
          input: Type.Optional(digest("Blob with the run's input.")),
        },
        strictMap("Options of the run. Resuming it uses them again."),
      ),
      base: Base,
      nodes,
      part,
    },
    strictMap("A run started."),
  ),
  "run-resumed": Type.Object(
    {
      concurrency,
      onFailure,
      again: Type.Optional(texts("Ids of the steps to run again even if they passed. Their earlier results are not used by any run.")),
      skip: Type.Optional(texts("Ids of the steps to skip.")),
      part,
      update: Type.Optional(
        Type.Object(
          { manifest: digest("Blob that lists the manifest and every file that it names, as of the resume."), nodes },
          strictMap("New definition of the run. Defaults to the definition the run already had."),
        ),
      ),
    },
    strictMap("A process resumed the run. Steps that have not passed become pending."),
  ),
  "step-reused": Type.Object(
    {
      step,
      from: Type.Object({ run: text("Id of its run."), attempt }, strictMap("The attempt that produced the result.")),
      fingerprint: Fingerprint,
      artifacts,
      changes: Type.Optional(ChangesRecord),
    },
    strictMap("A step passed without running because an earlier result with the same fingerprint was reused."),
  ),
  "step-reopened": Type.Object(
    { step, because: text("Why its earlier result cannot be kept.") },
    strictMap("A step that passed earlier in this run becomes pending, because its dependencies or its artifacts changed."),
  ),
  "attempt-started": Type.Object(
    {
      step,
      attempt,
      persona: text("Name of the persona."),
      adapter: text("Name of the adapter."),
      model: Type.Optional(text("Model, if one is set.")),
      fingerprint: Fingerprint,
      inputs: Type.Array(
        Type.Object(
          {
            name: text("Name of the input in this step."),
            digest: digest("Blob with its contents."),
            from: text("Id of the step that produced it."),
          },
          strictMap("Artifact of an earlier step."),
        ),
        { description: "Inputs of the step." },
      ),
      workspace: Type.Optional(Type.Enum(["isolated", "shared"], { description: "`shared` is the project itself. Defaults to `shared`." })),
      breakers: texts("Keys of the circuit breakers that were checked."),
      probe: flag("Whether an open circuit let this attempt through as a probe."),
    },
    strictMap("An attempt at a step started. Written to disk before the attempt's process starts."),
  ),
  "contract-checked": Type.Object(
    { step, attempt, result: ContractResultBody, breaker: Type.Optional(text("Key of the circuit breaker that counts the verdict.")) },
    strictMap("A contract was evaluated on the output of an attempt."),
  ),
  "attempt-passed": Type.Object(
    { step, attempt, durationMs: durationMs("the attempt"), artifacts, changes: Type.Optional(ChangesRecord), log, usage },
    strictMap("An attempt passed: it finished, produced its artifacts, and no contract failed it."),
  ),
  "attempt-failed": Type.Object(
    {
      step,
      attempt,
      durationMs: durationMs("the attempt"),
      failure: failure("Why it failed."),
      artifacts,
      log,
      usage,
      retry: Type.Optional(
        Type.Object(
          {
            attempt: count("Number of the attempt.", 1),
            delayMs: Type.Number({ minimum: 0, description: "Delay before it starts, in milliseconds." }),
          },
          strictMap("The next attempt. Absent if there is none."),
        ),
      ),
    },
    strictMap("An attempt failed."),
  ),
  "attempt-cancelled": Type.Object(
    { step, attempt, durationMs: durationMs("the attempt"), log, usage },
    strictMap("An attempt was ended because the run was cancelled or stopped."),
  ),
  "step-finished": Type.Object(
    {
      step,
      status: Type.Enum(["passed", "failed", "skipped", "cancelled"], { description: "Final status." }),
      attempt: Type.Optional(count("Number of the attempt that decided the status.", 1)),
      failure: Type.Optional(failure("Why it failed.")),
      because: Type.Optional(text("For a skipped step, the id of the dependency that did not pass.")),
    },
    strictMap("A step reached its final status in this process."),
  ),
  "circuit-opened": Type.Object(
    {
      step,
      contract: text("Name of the contract."),
      breaker: text("Key of the circuit breaker, derived from the contract and the persona."),
      failed: Type.Integer({ description: "Number of failed attempts in the window." }),
      window: Type.Integer({ description: "Number of attempts in the window." }),
    },
    strictMap("A circuit breaker opened because its contract failed too often. It blocks further attempts for a time."),
  ),
  "circuit-reset": Type.Object(
    {
      breaker: text("Key of the circuit breaker."),
      contract: Type.Optional(text("Name of the contract.")),
      steps: Type.Optional(texts("Ids of the steps of this run that use the circuit breaker.")),
    },
    strictMap("A circuit breaker was closed. Earlier attempts no longer count."),
  ),
  "changes-merged": Type.Object(
    { changes: ChangesRecord, apply: flag("Whether they will be applied to the project.") },
    strictMap("All steps passed and their changes were merged. Written to disk before any file of the project is changed."),
  ),
  "changes-applied": Type.Object({ changes: ChangesRecord }, strictMap("The run's changes were applied to the project.")),
  "rollback-started": Type.Object(
    {
      to: Type.Optional(step),
      steps: texts("With `to`, the ids of the steps that are rolled back."),
      changes: Type.Optional(ChangesRecord),
    },
    strictMap(
      "A rollback started to change the project. It is unfinished until `changes-undone` or `steps-rolled-back`. `changes` is the changeset that was applied to the project.",
    ),
  ),
  "changes-undone": Type.Object(
    { changes: ChangesRecord },
    strictMap("The run's changes were reverted in the project. No run uses the results of its steps any more."),
  ),
  "steps-rolled-back": Type.Object(
    {
      to: text("Id of the step that the run was rolled back to. Its result is kept."),
      steps: texts("Ids of the steps that were rolled back: all that depend on it. No run uses their results any more."),
      changes: Type.Optional(ChangesRecord),
      tree: Type.Optional(digest("Digest over the project's tree after the rollback.")),
    },
    strictMap(
      "A run was rolled back to a step. `changes` is the changeset of the run that remains applied to the project; absent if none does. Written to disk after the project was changed.",
    ),
  ),
  "alert-sent": Type.Object(
    {
      alert: text("Name of the alert in the manifest."),
      reason: text(
        "Condition that triggered the alert: `contract-failed`, `step-timeout`, `circuit-open`, `run-failed` or `run-recovered`.",
      ),
      subject: text("Subject: a step, `step/contract`, or empty for the run."),
      tries: count("Number of requests it took.", 1),
    },
    strictMap("An alert was delivered to its webhook."),
  ),
  "alert-failed": Type.Object(
    {
      alert: text("Name of the alert in the manifest."),
      reason: text("Condition that triggered the alert."),
      subject: text("Subject: a step, `step/contract`, or empty for the run."),
      because: text("Why it could not be delivered."),
    },
    strictMap("An alert could not be delivered to its webhook in time."),
  ),
  published: Type.Object(
    {
      kind: Type.Enum(["pr_comment", "pr_review"], { description: "Where it was published." }),
      artifact: text("Name of the artifact."),
      digest: digest("Blob that was published."),
      url: text("URL of the published item. Empty if the service returned none."),
    },
    strictMap("An artifact was published. A rollback does not revert this."),
  ),
  "not-published": Type.Object(
    {
      kind: Type.Enum(["pr_comment", "pr_review"], { description: "Where it should have been published." }),
      artifact: text("Name of the artifact."),
      because: text("Why it was not published."),
      optional: flag("Whether the run may pass even if publishing fails."),
    },
    strictMap("An artifact could not be published."),
  ),
  "run-finished": Type.Object(
    {
      status: Type.Enum(["passed", "failed", "cancelled"], { description: "Final status." }),
      durationMs: durationMs("this process's part of the run"),
      tree: Type.Optional(digest("Digest over the project's tree at the end of the run.")),
      failure: Type.Optional(failure("Why it did not pass.")),
      moved: Type.Optional(
        flag(
          "Whether something else changed the project while isolated attempts ran. Other runs do not reuse the results of these attempts.",
        ),
      ),
      part,
    },
    strictMap("The run, or this process's part of it, ended. It may be resumed later."),
  ),
  "writer-closed": Type.Object(
    { head: text("`hash` of the previous line.") },
    strictMap("The last line of a journal that was closed properly."),
  ),
} as const;
