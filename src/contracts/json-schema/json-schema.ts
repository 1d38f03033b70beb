/**
 * The `json_schema` contract: an artifact is JSON and valid against a schema of the project. The evaluator, which limits time,
 * memory and size, evaluates schemas and artifacts.
 */
import { defined } from "../../core/defined.ts";
import type { EvaluationProblem, Evaluator } from "../../core/evaluation.ts";
import { describeExceeded } from "../../core/exceeded-limit.ts";
import { describeFailure } from "../../core/failures.ts";
import { evaluationLimits } from "../../core/limits.ts";
import type { JsonSchemaContract } from "../../core/pipeline.ts";
import type { ContractContext, ContractFile, ContractOutcome, ContractProblem, ContractType } from "../../core/ports.ts";

/** The `json_schema` contract type. */
export function jsonSchemaContractWith(evaluator: Evaluator): ContractType {
  return {
    type: "json_schema",
    check: async (contract, files, signal) => (contract.type === "json_schema" ? check(evaluator, contract, files, signal) : []),
    verify: async (context) =>
      context.contract.type === "json_schema"
        ? verify(evaluator, context, context.contract)
        : { verdict: "error", violations: [{ message: "this is not a json_schema contract" }] },
    warm: () => evaluator.warm("evaluate-schema"),
  };
}

async function check(
  evaluator: Evaluator,
  { schema }: JsonSchemaContract,
  files: ReadonlyMap<string, ContractFile>,
  signal: AbortSignal | undefined,
): Promise<readonly ContractProblem[]> {
  const answer = await evaluator.evaluate("check-schema", { schema }, { files, ...defined({ signal }) });
  if (answer.ok) return answer.value;
  const location = { file: schema, line: 1, column: 1 };
  switch (answer.error.kind) {
    case "exceeded":
      return [{ message: `the schema \`${schema}\` cannot be checked: ${describeExceeded(answer.error.limit)}`, location }];
    case "cancelled":
      return [{ message: `checking the schema \`${schema}\` was cancelled`, location }];
    case "broken":
      return [{ message: `the schema \`${schema}\` cannot be checked: ${answer.error.detail}`, location }];
  }
}

async function verify(evaluator: Evaluator, context: ContractContext, contract: JsonSchemaContract): Promise<ContractOutcome> {
  const { artifact, schema } = contract;
  const ref = context.artifacts.find((one) => one.name === artifact);
  if (ref === undefined) {
    const optional = context.step.artifacts.some((one) => one.name === artifact && one.optional);
    return optional
      ? { verdict: "pass", violations: [] }
      : { verdict: "fail", violations: [{ message: `the artifact \`${artifact}\` was not produced`, rule: "artifact" }] };
  }
  // Checked before reading, because an artifact can be very large.
  const max = evaluationLimits.inputBytes;
  if (ref.size > max) return outcomeOfProblem({ kind: "exceeded", limit: { what: "size", max, actual: ref.size } }, artifact);
  const bytes = await context.readArtifact(artifact);
  if (!bytes.ok) {
    const { title, detail } = describeFailure(bytes.error);
    return {
      verdict: "error",
      violations: [{ message: [`the artifact \`${artifact}\` cannot be read: ${title}`, ...detail].join("; "), rule: "artifact" }],
    };
  }
  const named = ref.source === "message" ? artifact : ref.source;
  const { files, signal } = context;
  const answer = await evaluator.evaluate("evaluate-schema", { schema, bytes: bytes.value, artifact: named }, { files, signal });
  return answer.ok ? answer.value : outcomeOfProblem(answer.error, artifact);
}

function outcomeOfProblem(problem: EvaluationProblem, artifact: string): ContractOutcome {
  switch (problem.kind) {
    case "exceeded": {
      const message = `the artifact \`${artifact}\` cannot be evaluated: ${describeExceeded(problem.limit)}`;
      return { verdict: "error", violations: [{ message, rule: "limit" }], exceeded: problem.limit };
    }
    case "cancelled":
      return { verdict: "error", violations: [{ message: "the evaluation was cancelled", rule: "cancelled" }] };
    case "broken":
      return { verdict: "error", violations: [{ message: `the artifact \`${artifact}\` cannot be evaluated: ${problem.detail}` }] };
  }
}
