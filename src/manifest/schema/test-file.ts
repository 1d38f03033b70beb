/**
 * Schema of a pipeline test: a file in `.wave/tests/` that names a recording and the expected results. Imported for types and by the generator only,
 * like `manifest.ts`.
 */
import { type TSchema, Type } from "typebox";
import { projectPath, strict } from "./primitives.ts";

const named = (description: string, value: TSchema) => Type.Optional(Type.Record(Type.String(), value, { description }));

export const StepExpectationSchema = Type.Object(
  {
    status: Type.Optional(Type.Enum(["passed", "failed", "skipped", "cancelled"], { description: "Final status of the step." })),
    attempts: Type.Optional(Type.Integer({ minimum: 0, description: "Number of attempts." })),
    failure: Type.Optional(
      Type.String({
        minLength: 1,
        description: "Failure reason of the step, for example `contract-failed` or `budget-exceeded`.",
      }),
    ),
    verdicts: named(
      "Verdicts of the last attempt, by contract name.",
      Type.Enum(["pass", "fail", "error"], { description: "Verdict of the contract." }),
    ),
    artifacts: named(
      "Expected contents, by artifact name.",
      Type.Union(
        [
          Type.String({ minLength: 1, description: "Text that the artifact contains." }),
          Type.Record(Type.String(), Type.Unknown(), {
            description:
              "Expected values, by JSONPath (RFC 9535). A path that can match several nodes (`*`, `..`, slices, filters) is compared with the list of their values.",
          }),
        ],
        { description: "Expected contents of the artifact: a text it contains, or values by JSONPath." },
      ),
    ),
    changes: Type.Optional(
      Type.Array(projectPath("Path in the project."), { description: "All paths that the step changes, in any order." }),
    ),
  },
  { ...strict, description: "Expected results of a step. Results that are not listed are not checked." },
);

export const TestFileSchema = Type.Object(
  {
    pipeline: Type.Optional(
      Type.String({ minLength: 1, description: "Pipeline as NAME or NAME@VERSION. Optional if the manifest has only one." }),
    ),
    description: Type.Optional(Type.String()),
    recordings: projectPath("Directory of the recording to replay, as written by `wave run --record`."),
    input: Type.Optional(Type.String({ description: "Input of the run. Defaults to the recorded input." })),
    expect: Type.Optional(
      Type.Object(
        {
          status: Type.Optional(Type.Enum(["passed", "failed"], { description: "Final status of the run. Defaults to `passed`." })),
          steps: Type.Optional(Type.Record(Type.String(), StepExpectationSchema, { description: "Expected results, by step id." })),
        },
        { ...strict, description: "Expected results of the run." },
      ),
    ),
    snapshot: Type.Optional(
      Type.Boolean({
        description: "Compare all results with `NAME.snapshot.json` next to this file. `wave test --update` writes the snapshot.",
      }),
    ),
  },
  { ...strict, description: "Pipeline test, run by `wave test`." },
);
