/**
 * The journal's catalogue: one schema an event type. The types in `event.ts` are inferred from these, and
 * `schema/events.schema.json` is printed from them. For types and for the generator: nothing that runs in a bundle imports its values.
 */
import { Type } from "typebox";
import type { Digest } from "./digest.ts";
import type { ContractResult, Failure } from "./failure.ts";

const strict = { additionalProperties: false } as const;
const DigestText = Type.Unsafe<Digest>({ type: "string", pattern: "^sha256:[0-9a-f]{64}$" });
const FailureBody = Type.Unsafe<Failure>({ type: "object", required: ["reason"], properties: { reason: { type: "string" } } });
const Milliseconds = Type.Number({ minimum: 0 });
const Attempt = Type.Integer({ minimum: 1 });
export const Fingerprint = Type.Object({ work: DigestText, gate: DigestText, parts: Type.Record(Type.String(), DigestText) }, strict);

export const ArtifactRecord = Type.Object(
  {
    name: Type.String(),
    digest: DigestText,
    size: Type.Integer({ minimum: 0 }),
    mediaType: Type.String(),
    /** Where it was found: a workspace path, `output/NAME`, or `message`. */
    source: Type.String(),
  },
  strict,
);

const ContractResultBody = Type.Unsafe<ContractResult>({
  type: "object",
  required: ["name", "type", "verdict", "violations", "durationMs", "onFailure"],
});

/** What the project's tree was: `tree` over all of it, `views` over what each set of file permissions lets a step read. */
export const Base = Type.Object(
  {
    kind: Type.Enum(["git", "files"]),
    head: Type.Optional(Type.String()),
    tree: DigestText,
    views: Type.Record(Type.String(), DigestText),
  },
  strict,
);

export const eventSchemas = {
  /** The first line of every journal: which process writes it. */
  "writer-opened": Type.Object(
    {
      pid: Type.Integer(),
      processStart: Type.String(),
      host: Type.String(),
      wave: Type.String(),
      node: Type.String(),
      platform: Type.String(),
    },
    strict,
  ),
  "run-started": Type.Object(
    {
      pipeline: Type.String(),
      version: Type.Optional(Type.String()),
      /** The blob that lists the pinned files. */
      manifest: DigestText,
      /** How the run was asked for; resume takes these again. */
      options: Type.Object(
        {
          files: Type.Array(Type.String()),
          environment: Type.Optional(Type.String()),
          adapter: Type.Optional(Type.String()),
          concurrency: Type.Integer({ minimum: 1 }),
          onFailure: Type.Enum(["finish", "stop", "keep-going"]),
          reuse: Type.Boolean(),
          input: Type.Optional(DigestText),
        },
        strict,
      ),
      base: Base,
      steps: Type.Array(
        Type.Object(
          {
            id: Type.String(),
            persona: Type.String(),
            dependencies: Type.Array(Type.String()),
            optional: Type.Boolean(),
            contracts: Type.Array(Type.String()),
          },
          strict,
        ),
      ),
    },
    strict,
  ),
  "run-resumed": Type.Object({ concurrency: Type.Integer({ minimum: 1 }), onFailure: Type.Enum(["finish", "stop", "keep-going"]) }, strict),
  "step-reused": Type.Object(
    {
      step: Type.String(),
      from: Type.Object({ run: Type.String(), attempt: Attempt }, strict),
      fingerprint: Fingerprint,
      artifacts: Type.Array(ArtifactRecord),
    },
    strict,
  ),
  "attempt-started": Type.Object(
    {
      step: Type.String(),
      attempt: Attempt,
      persona: Type.String(),
      adapter: Type.String(),
      model: Type.Optional(Type.String()),
      fingerprint: Fingerprint,
      inputs: Type.Array(Type.Object({ name: Type.String(), digest: DigestText, from: Type.String() }, strict)),
      /** Keys of the circuit breakers that were asked. */
      breakers: Type.Array(Type.String()),
      /** Let through by an open circuit, to see whether it can close. */
      probe: Type.Boolean(),
    },
    strict,
  ),
  "contract-checked": Type.Object(
    { step: Type.String(), attempt: Attempt, result: ContractResultBody, breaker: Type.Optional(Type.String()) },
    strict,
  ),
  "attempt-passed": Type.Object(
    {
      step: Type.String(),
      attempt: Attempt,
      durationMs: Milliseconds,
      artifacts: Type.Array(ArtifactRecord),
      log: Type.Optional(DigestText),
    },
    strict,
  ),
  "attempt-failed": Type.Object(
    {
      step: Type.String(),
      attempt: Attempt,
      durationMs: Milliseconds,
      failure: FailureBody,
      artifacts: Type.Array(ArtifactRecord),
      log: Type.Optional(DigestText),
      retry: Type.Optional(Type.Object({ attempt: Attempt, delayMs: Milliseconds }, strict)),
    },
    strict,
  ),
  "attempt-cancelled": Type.Object(
    { step: Type.String(), attempt: Attempt, durationMs: Milliseconds, log: Type.Optional(DigestText) },
    strict,
  ),
  "step-finished": Type.Object(
    {
      step: Type.String(),
      status: Type.Enum(["passed", "failed", "skipped", "cancelled"]),
      attempt: Type.Optional(Attempt),
      /** The reason of a failure; for a skipped step the sentence says which step it waited for. */
      failure: Type.Optional(FailureBody),
      because: Type.Optional(Type.String()),
    },
    strict,
  ),
  "circuit-opened": Type.Object(
    { step: Type.String(), contract: Type.String(), breaker: Type.String(), failed: Type.Integer(), window: Type.Integer() },
    strict,
  ),
  "circuit-reset": Type.Object({ breaker: Type.String() }, strict),
  "run-finished": Type.Object(
    {
      status: Type.Enum(["passed", "failed", "cancelled"]),
      durationMs: Milliseconds,
      tree: Type.Optional(DigestText),
      failure: Type.Optional(FailureBody),
    },
    strict,
  ),
  /** The last line of a journal that was closed in order. */
  "writer-closed": Type.Object({ head: Type.String() }, strict),
} as const;
