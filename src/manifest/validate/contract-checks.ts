/** Checks that contract definitions can be evaluated. Equal definitions are checked once. */
import type { Origin } from "../../core/document.ts";
import type { ContractDefinition, Pipeline } from "../../core/pipeline.ts";
import type { ContractFile, ContractProblem } from "../../core/ports.ts";
import type { Scope } from "./scope.ts";

/** Reports invalid contract definitions. Skips contracts whose schema cannot be read; that is reported elsewhere. */
export async function checkContracts(
  pipelines: readonly Pipeline[],
  files: ReadonlyMap<string, ContractFile>,
  scope: Scope,
): Promise<void> {
  const checked = new Map<string, Promise<readonly ContractProblem[]>>();
  for (const contract of pipelines.flatMap(({ steps }) => steps.flatMap((step) => step.contracts))) {
    if (contract.type === "json_schema" && !files.has(contract.schema)) continue;
    const key = JSON.stringify(contract.type === "json_schema" ? [contract.type, contract.schema] : [contract.type, contract.command]);
    const answer = checked.get(key) ?? scope.options.checkContract(contract, files);
    checked.set(key, answer);
    for (const problem of await answer) report(problem, contract, scope);
  }
}

function report(problem: ContractProblem, contract: ContractDefinition, { findings }: Scope): void {
  const advice = problem.hint === undefined ? {} : { hint: problem.hint };
  if (problem.location === undefined) {
    findings.error("W310", problem.message, contract.origin, advice);
    return;
  }
  const { file, line, column } = problem.location;
  const place = { line, column };
  const origin: Origin = { file, range: { start: place, end: place } };
  findings.error("W310", problem.message, origin, {
    ...advice,
    related: [{ message: `the contract \`${contract.name}\``, origin: contract.origin }],
  });
}
