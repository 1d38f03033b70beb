/**
 * Evaluates a step's contracts on its artifacts, and sums the verdicts up. A contract that gives `error` is evaluated again
 * on its own, unless it exceeded a limit; the persona is never run again for either. Writes no events and decides no retries.
 */
import type { ArtifactRef } from "../core/event.ts";
import type { ContractResult, Failure } from "../core/failure.ts";
import type { ContractDefinition, Step } from "../core/pipeline.ts";
import type { ContractOutcome, OutputLog, Workspace } from "../core/ports.ts";
import { err, type Result } from "../core/result.ts";
import type { ExecuteContext } from "./context.ts";
import { backoffWait, withJitter } from "./retry.ts";

/** What the contracts are evaluated on. */
export interface Evidence {
  readonly step: Step;
  readonly attempt: number;
  readonly workspace: Workspace;
  readonly artifacts: readonly ArtifactRef[];
  readonly signal: AbortSignal;
  readonly log: OutputLog;
}

/** How often a contract that cannot be evaluated is evaluated again, and how long that waits. */
const reevaluations = 2;
const reevaluationBackoff = { strategy: "exponential", baseMs: 500, maxMs: 5000 } as const;

/** One result for each contract, in order; fewer where the run was cancelled meanwhile. All are evaluated, so that feedback is whole. */
export async function verifyContracts(context: ExecuteContext, evidence: Evidence): Promise<readonly ContractResult[]> {
  const results: ContractResult[] = [];
  for (const contract of evidence.step.contracts) {
    if (evidence.signal.aborted) break;
    const began = context.clock.monotonic();
    const outcome = await verifyUntilClear(context, evidence, contract);
    const { name, type, onFailure } = contract;
    results.push({ name, type, onFailure, ...outcome, durationMs: context.clock.monotonic() - began });
  }
  return results;
}

/** Why these results keep the step from passing; nothing when they do not. Contracts that only warn never do. */
export function failureOf(results: readonly ContractResult[]): Failure | undefined {
  const binding = results.filter((result) => result.onFailure !== "warn" && result.verdict !== "pass");
  const broken = binding.find((result) => result.verdict === "error");
  const limited = binding.find((result) => result.exceeded !== undefined);
  if (limited?.exceeded !== undefined) return { reason: "contract-limit-exceeded", contract: limited.name, limit: limited.exceeded };
  if (broken !== undefined) {
    const detail = broken.violations.map((violation) => violation.message).join("; ") || (broken.tail ?? "it could not be evaluated");
    return { reason: "contract-error", contract: broken.name, detail };
  }
  return binding.length === 0 ? undefined : { reason: "contract-failed", contracts: binding };
}

async function verifyUntilClear(context: ExecuteContext, evidence: Evidence, contract: ContractDefinition): Promise<ContractOutcome> {
  for (let again = 1; ; again++) {
    const outcome = await verifyOnce(context, evidence, contract);
    if (outcome.verdict !== "error" || outcome.exceeded !== undefined || again > reevaluations || evidence.signal.aborted) return outcome;
    await context.clock.sleep(withJitter({ waitMs: backoffWait(reevaluationBackoff, again) }, context.random), evidence.signal);
    if (evidence.signal.aborted) return outcome;
  }
}

async function verifyOnce(context: ExecuteContext, evidence: Evidence, contract: ContractDefinition): Promise<ContractOutcome> {
  const type = context.contractTypes.get(contract.type);
  if (type === undefined) return { verdict: "error", violations: [{ message: `contract type ${contract.type} is not known` }] };
  const readArtifact = (name: string) => readArtifactOf(context, evidence.artifacts, name);
  const trusted = context.trustedFiles === undefined ? {} : { trustedFiles: context.trustedFiles };
  return type.verify({ ...evidence, ...trusted, contract, run: context.run, readArtifact, files: context.files });
}

async function readArtifactOf(context: ExecuteContext, artifacts: readonly ArtifactRef[], name: string): Promise<Result<Uint8Array>> {
  const found = artifacts.find((artifact) => artifact.name === name);
  if (found === undefined) return err({ reason: "artifact-missing", artifacts: [name], searched: [] });
  return context.blobs.get(found.digest);
}
