/**
 * A test of a pipeline: a file in `.wave/tests/` that names a recording and says what has to come of it. The schema is the one source of its shape, as
 * `manifest.ts` is of manifests: nothing that runs in a bundle imports its values.
 */
import { type TSchema, Type } from "typebox";
import { projectPath, strict } from "./primitives.ts";

const named = (description: string, value: TSchema) => Type.Optional(Type.Record(Type.String(), value, { description }));

export const StepExpectationSchema = Type.Object(
  {
    status: Type.Optional(Type.Enum(["passed", "failed", "skipped", "cancelled"], { description: "How the step ends." })),
    attempts: Type.Optional(Type.Integer({ minimum: 0, description: "How many attempts it takes." })),
    failure: Type.Optional(
      Type.String({
        minLength: 1,
        description: "The reason of the failure that it ends with, such as `contract-failed` or `budget-exceeded`.",
      }),
    ),
    verdicts: named(
      "Contract → its verdict at the last attempt.",
      Type.Enum(["pass", "fail", "error"], { description: "What the contract says." }),
    ),
    artifacts: named(
      "Artifact → what has to be in it.",
      Type.Union(
        [
          Type.String({ minLength: 1, description: "A text that stands in it." }),
          Type.Record(Type.String(), Type.Unknown(), {
            description:
              "JSONPath (RFC 9535) → the value there. A path that can match several nodes (`*`, `..`, slices, filters) gives the list of their values.",
          }),
        ],
        { description: "What has to be in an artifact." },
      ),
    ),
    changes: Type.Optional(
      Type.Array(projectPath("A path of the project."), { description: "Exactly the paths that the step changes, in any order." }),
    ),
  },
  { ...strict, description: "What has to come of a step. What is not said is not looked at." },
);

export const TestFileSchema = Type.Object(
  {
    pipeline: Type.Optional(
      Type.String({ minLength: 1, description: "NAME or NAME@VERSION; may be left out where the manifest has one pipeline." }),
    ),
    description: Type.Optional(Type.String()),
    recordings: projectPath("The recording that the run is replayed from: a directory that `wave run --record` wrote."),
    input: Type.Optional(Type.String({ description: "The run's input (default: the one that was recorded)." })),
    expect: Type.Optional(
      Type.Object(
        {
          status: Type.Optional(Type.Enum(["passed", "failed"], { description: "How the run ends (default: `passed`)." })),
          steps: Type.Optional(Type.Record(Type.String(), StepExpectationSchema, { description: "Step → what has to come of it." })),
        },
        { ...strict, description: "What has to come of the run." },
      ),
    ),
    snapshot: Type.Optional(
      Type.Boolean({
        description:
          "Compare all that came of it with what lies in `NAME.snapshot.json` beside this file; `wave test --update` writes that.",
      }),
    ),
  },
  { ...strict, description: "A test of a pipeline, run by `wave test`." },
);
