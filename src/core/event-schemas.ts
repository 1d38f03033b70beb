/**
 * The journal's catalogue: one schema an event type, with what it and its members mean. The types in `event.ts` are inferred from these, and
 * `schema/events.schema.json` and `docs/events.md` are printed from them. For types and for the generator: nothing that runs in a bundle
 * imports its values.
 */
import { Type } from "typebox";
import { count, digest, digests, flag, strict, text, texts } from "./event-members.ts";
import type { ContractResult, Failure } from "./failure.ts";
import type { Usage } from "./usage.ts";

const failure = (description: string) =>
  Type.Unsafe<Failure>({
    type: "object",
    required: ["reason"],
    properties: { reason: { type: "string", description: "What kind of failure it is; each kind has further members of its own." } },
    description,
  });
const durationMs = (of: string) => Type.Number({ minimum: 0, description: `How long ${of} took, in milliseconds.` });
const onFailure = Type.Enum(["finish", "stop", "keep-going"], { description: "What happens to the other steps when one fails." });
const concurrency = count("How many steps run at a time.", 1);
const step = text("The step's id.");
const attempt = count("The number of the attempt at this step, from 1.", 1);
const part = Type.Optional(texts("The steps that this process works on; absent: all."));
const log = Type.Optional(digest("The blob of what the attempt printed, scrubbed; absent when it printed nothing."));
const amount = (description: string) => Type.Number({ minimum: 0, description });
const usage = Type.Optional(
  Type.Unsafe<Usage>(
    Type.Object(
      {
        turns: count("Answers of the model."),
        toolCalls: count("Calls of tools."),
        denials: count("Calls that the agent was not allowed."),
        inputTokens: count("Tokens that the model read anew."),
        outputTokens: count("Tokens that it wrote."),
        cacheReadTokens: count("Tokens that it read from its cache."),
        cacheWriteTokens: count("Tokens that it put there."),
        costUsd: Type.Optional(amount("US dollars, by the agent's own count.")),
      },
      strict("What the attempt asked of a model; absent where its adapter asks none."),
    ),
  ),
);

export const Fingerprint = Type.Object(
  {
    work: digest("Over everything that the outcome of the work depends on."),
    gate: digest("Over the contracts and the files that they name."),
    parts: digests("Name of a part → its digest: what to compare when two fingerprints differ."),
  },
  strict("Digests of what a step's outcome depends on."),
);

export const ChangesRecord = Type.Object(
  {
    digest: digest("The blob that lists the changes."),
    added: count("Paths that were added."),
    changed: count("Paths that were changed."),
    deleted: count("Paths that were deleted."),
    ignored: Type.Optional(
      Type.Object(
        {
          count: count("How many, without those below them.", 1),
          paths: Type.Array(Type.String(), { description: "The first 20. Directories end in `/`." }),
        },
        strict("New paths that are not part of it, because a `.gitignore` that a step changed ignores them."),
      ),
    ),
  },
  strict("A changeset: the blob that lists it, and how many paths it touches."),
);

export const ArtifactRecord = Type.Object(
  {
    name: text("The artifact's name."),
    digest: digest("The blob of its bytes."),
    size: count("In bytes."),
    mediaType: text("Its media type."),
    source: text("Where it was found: a workspace path, `output/NAME`, or `message`."),
  },
  strict("A named output of a step."),
);
const artifacts = Type.Array(ArtifactRecord, { description: "What the step left." });

const ContractResultBody = Type.Unsafe<ContractResult>({
  type: "object",
  required: ["name", "type", "verdict", "violations", "durationMs", "onFailure"],
  description:
    "The contract's `name` and `type`, its `verdict` (`pass`, `fail`, `error`), its `violations`, `durationMs`, `onFailure` (`halt`, `retry`, `warn`), the `tail` of what its command printed, and `exceeded`, the limit that stopped its evaluation (`what`: `time`, `memory`, `size`; `max`; `actual`).",
});

export const Base = Type.Object(
  {
    kind: Type.Enum(["git", "files"], { description: "How the tree was read: by git's index, or by walking it." }),
    head: Type.Optional(text("The commit that was checked out.")),
    tree: digest("Over all of the tree."),
    ignored: Type.Optional(
      digests("Key of a set of file permissions and of patterns that reuse leaves out → the digest of the ignored files."),
    ),
    views: digests("What a set of file permissions lets a step read → the digest of that part."),
  },
  strict("What the project's tree was."),
);

const steps = Type.Array(
  Type.Object(
    {
      id: text("The step's id."),
      persona: text("The name of its persona."),
      dependencies: texts("The steps that it waits for."),
      optional: flag("Whether it may fail without failing the run."),
      contracts: texts("The names of its contracts."),
    },
    strict("A step of the pipeline."),
  ),
  { description: "The steps, in the order of the manifest." },
);

export const eventSchemas = {
  "writer-opened": Type.Object(
    {
      pid: Type.Integer({ description: "Its process id." }),
      processStart: text("When it began, as the platform tells it: opaque, and empty where it does not."),
      host: text("The machine that it runs on; on GitHub followed by `/github/`, the workflow run and its attempt."),
      wave: text("The version of wave."),
      node: text("The version of Node."),
      platform: text("The operating system and architecture."),
    },
    strict("The first line of every journal: which process writes it."),
  ),
  "run-started": Type.Object(
    {
      pipeline: text("The pipeline's name."),
      version: Type.Optional(text("The pipeline's version, where it has one.")),
      manifest: digest("The blob that lists the manifest and every file that it names, as they were."),
      options: Type.Object(
        {
          files: texts("The manifest's files, relative to the project."),
          environment: Type.Optional(text("The overlay that was chosen.")),
          adapter: Type.Optional(text("The adapter that was chosen for every persona.")),
          concurrency,
          onFailure,
          reuse: flag("Whether equal work of earlier runs is taken over."),
          apply: Type.Optional(flag("Whether the project gets the changes of a run that passed; absent: it does.")),
          input: Type.Optional(digest("The blob of the run's input.")),
        },
        strict("How the run was asked for; resume takes these again."),
      ),
      base: Base,
      steps,
      part,
    },
    strict("A run began."),
  ),
  "run-resumed": Type.Object(
    {
      concurrency,
      onFailure,
      again: Type.Optional(texts("Steps that run again although they may have passed: what they did before counts no more, for any run.")),
      skip: Type.Optional(texts("Steps that are left out.")),
      part,
      update: Type.Optional(
        Type.Object(
          { manifest: digest("The blob that lists the manifest and every file that it names, as they are now."), steps },
          strict("The definition that counts from here on; absent: the one that the run had."),
        ),
      ),
    },
    strict("Another process goes on with the run; steps that had not passed are open again."),
  ),
  "step-reused": Type.Object(
    {
      step,
      from: Type.Object({ run: text("Its run."), attempt }, strict("The attempt that did the work.")),
      fingerprint: Fingerprint,
      artifacts,
      changes: Type.Optional(ChangesRecord),
    },
    strict("A step passed without being run: equal work had passed before."),
  ),
  "step-reopened": Type.Object(
    { step, because: text("Why what it did before does not stand.") },
    strict("A step that had passed in this run is worked on again, because what it depends on or what it left is not as it was."),
  ),
  "attempt-started": Type.Object(
    {
      step,
      attempt,
      persona: text("The name of the persona."),
      adapter: text("The name of the adapter."),
      model: Type.Optional(text("The model, where one is chosen.")),
      fingerprint: Fingerprint,
      inputs: Type.Array(
        Type.Object(
          {
            name: text("Under which name the step sees it."),
            digest: digest("The blob of its bytes."),
            from: text("The step that made it."),
          },
          strict("An artifact of an earlier step."),
        ),
        { description: "What was handed to the step." },
      ),
      workspace: Type.Optional(
        Type.Enum(["isolated", "shared"], { description: "`shared`: in the project itself, as are all attempts that do not say." }),
      ),
      breakers: texts("Keys of the circuit breakers that were asked."),
      probe: flag("Let through by an open circuit, to see whether it can close."),
    },
    strict("A try of a step began. On disk before its process is started."),
  ),
  "contract-checked": Type.Object(
    { step, attempt, result: ContractResultBody, breaker: Type.Optional(text("The key of the circuit breaker that counts the verdict.")) },
    strict("A contract judged what an attempt left."),
  ),
  "attempt-passed": Type.Object(
    { step, attempt, durationMs: durationMs("the attempt"), artifacts, changes: Type.Optional(ChangesRecord), log, usage },
    strict("An attempt did its work, left its artifacts, and no contract stopped it."),
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
          { attempt: count("Its number.", 1), delayMs: Type.Number({ minimum: 0, description: "How long it waits, in milliseconds." }) },
          strict("The attempt that follows; absent when none does."),
        ),
      ),
    },
    strict("An attempt failed."),
  ),
  "attempt-cancelled": Type.Object(
    { step, attempt, durationMs: durationMs("the attempt"), log, usage },
    strict("An attempt was ended because the run was cancelled or stopped."),
  ),
  "step-finished": Type.Object(
    {
      step,
      status: Type.Enum(["passed", "failed", "skipped", "cancelled"], { description: "How it ended." }),
      attempt: Type.Optional(count("The number of the attempt that decided it.", 1)),
      failure: Type.Optional(failure("Why it failed.")),
      because: Type.Optional(text("For a skipped step: which step it waited for.")),
    },
    strict("Nothing more is done for a step in this process."),
  ),
  "circuit-opened": Type.Object(
    {
      step,
      contract: text("The contract's name."),
      breaker: text("The breaker's key: over the contract and the persona."),
      failed: Type.Integer({ description: "How many of the attempts in the window failed." }),
      window: Type.Integer({ description: "How many attempts were in the window." }),
    },
    strict("A contract failed too often, and its circuit breaker lets no attempt through for now."),
  ),
  "circuit-reset": Type.Object(
    {
      breaker: text("The breaker's key."),
      contract: Type.Optional(text("The contract's name.")),
      steps: Type.Optional(texts("The steps of this run that the breaker guards.")),
    },
    strict("A circuit breaker was closed; attempts before this count no more."),
  ),
  "changes-merged": Type.Object(
    { changes: ChangesRecord, apply: flag("Whether the project is to get them.") },
    strict("All steps passed, and this is what they changed together. On disk before the first of the project's files is written."),
  ),
  "changes-applied": Type.Object({ changes: ChangesRecord }, strict("The project has the run's changes.")),
  "rollback-started": Type.Object(
    { to: Type.Optional(step), steps: texts("With `to`: the undone steps."), changes: Type.Optional(ChangesRecord) },
    strict(
      "A rollback is about to write the project's files; open until `changes-undone` or `steps-rolled-back`. `changes`: what the project had.",
    ),
  ),
  "changes-undone": Type.Object(
    { changes: ChangesRecord },
    strict("The project no longer has the run's changes. All its steps are undone: what they did counts for no run."),
  ),
  "steps-rolled-back": Type.Object(
    {
      to: text("The step that was gone back to; it stays."),
      steps: texts("The steps that are undone: those that descend from it. What they did counts no more, for any run."),
      changes: Type.Optional(ChangesRecord),
      tree: Type.Optional(digest("Over the project's tree, as the rollback left it.")),
    },
    strict(
      "A run was taken back to a step. `changes`: what the project has of the run from here on; absent: nothing. On disk after the project's files are written.",
    ),
  ),
  "alert-sent": Type.Object(
    {
      alert: text("The alert's name in the manifest."),
      reason: text("What was announced: `contract-failed`, `step-timeout`, `circuit-open`, `run-failed`, `run-recovered`."),
      subject: text("What it is about: a step, `step/contract`, or empty for the run."),
      tries: count("How many tries it took.", 1),
    },
    strict("A webhook took an alert."),
  ),
  "alert-failed": Type.Object(
    {
      alert: text("The alert's name in the manifest."),
      reason: text("What was to be announced."),
      subject: text("What it is about: a step, `step/contract`, or empty for the run."),
      because: text("Why it was given up."),
    },
    strict("An alert was given up: the webhook did not take it in time."),
  ),
  published: Type.Object(
    {
      kind: Type.Enum(["pr_comment", "pr_review"], { description: "Where it went." }),
      artifact: text("The artifact."),
      digest: digest("The blob that was published."),
      url: text("Where it can be seen; empty where the service tells none."),
    },
    strict("An artifact went to the outside on the user's behalf. A rollback does not take it back."),
  ),
  "not-published": Type.Object(
    {
      kind: Type.Enum(["pr_comment", "pr_review"], { description: "Where it was to go." }),
      artifact: text("The artifact."),
      because: text("Why it did not."),
      optional: flag("Whether the run may pass without."),
    },
    strict("An artifact was not published."),
  ),
  "run-finished": Type.Object(
    {
      status: Type.Enum(["passed", "failed", "cancelled"], { description: "How it ended." }),
      durationMs: durationMs("this process's part of the run"),
      tree: Type.Optional(digest("Over the project's tree, as the run left it.")),
      failure: Type.Optional(failure("Why it did not pass.")),
      moved: Type.Optional(
        flag(
          "Whether the project was changed by something else while attempts in workspaces of their own worked; no other run reuses them then.",
        ),
      ),
      part,
    },
    strict("The run came to an end, or this process's part of it did. A resume may follow."),
  ),
  "writer-closed": Type.Object(
    { head: text("The `hash` of the line before, once more.") },
    strict("The last line of a journal that was closed in order."),
  ),
} as const;
