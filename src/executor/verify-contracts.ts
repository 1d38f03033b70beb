/**
 * Evaluates a step's contracts on its artifacts. A contract whose verdict is `error` is evaluated again by itself, unless it exceeded a
 * limit; the persona does not run again for either. Writes no events and decides no retries.
 */
import { defined } from "../core/defined.ts";
import type { ArtifactRef, AttemptId } from "../core/event.ts";
import type { ContractResult, Failure } from "../core/failure.ts";
import type { ContractDefinition, Step } from "../core/pipeline.ts";
import type { BlobStore, ContractOutcome, OutputLog, Workspace } from "../core/ports.ts";
import { err, type Result } from "../core/result.ts";
import type { ExecuteContext } from "./context.ts";
import { backoffWait, withJitter } from "./retry.ts";

/** The attempt whose output is evaluated. */
export interface Evidence {
  readonly step: Step;
  readonly attempt: AttemptId;
  readonly workspace: Workspace;
  readonly artifacts: readonly ArtifactRef[];
  readonly signal: AbortSignal;
  readonly log: OutputLog;
}

/** Further evaluations of a contract after the verdict `error`. */
const reevaluations = 2;
const reevaluationBackoff = { strategy: "exponential", baseMs: 500, maxMs: 5000 } as const;

/** One result per contract, in order; fewer if the run was cancelled meanwhile. All are evaluated, so that the feedback is complete. */
export async function verifyContracts(context: ExecuteContext, evidence: Evidence): Promise<readonly ContractResult[]> {
  const { clock } = context.services;
  const results: ContractResult[] = [];
  for (const contract of evidence.step.contracts) {
    if (evidence.signal.aborted) break;
    const startedAt = clock.monotonic();
    const outcome = await verifyWithRetries(context, evidence, contract);
    const { name, type, onFailure } = contract;
    results.push({ name, type, onFailure, ...outcome, durationMs: clock.monotonic() - startedAt });
  }
  return results;
}

/** The failure that these results mean for the step. Undefined if it passes; contracts that only warn never fail it. */
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

async function verifyWithRetries(context: ExecuteContext, evidence: Evidence, contract: ContractDefinition): Promise<ContractOutcome> {
  for (let again = 1; ; again++) {
    const outcome = await verifyOnce(context, evidence, contract);
    if (outcome.verdict !== "error" || outcome.exceeded !== undefined || again > reevaluations || evidence.signal.aborted) return outcome;
    const { clock, random } = context.services;
    await clock.sleep(withJitter({ waitMs: backoffWait(reevaluationBackoff, again) }, random), evidence.signal);
    if (evidence.signal.aborted) return outcome;
  }
}

async function verifyOnce(context: ExecuteContext, evidence: Evidence, contract: ContractDefinition): Promise<ContractOutcome> {
  const { run, services } = context;
  const type = services.contractTypes.get(contract.type);
  if (type === undefined) return { verdict: "error", violations: [{ message: `contract type ${contract.type} is not known` }] };
  const readArtifact = (name: string) => readArtifactOf(services.blobs, evidence.artifacts, name);
  const trusted = defined({ trustedFiles: services.trustedFiles });
  return type.verify({ ...evidence, ...trusted, contract, readArtifact, files: run.contractFiles });
}

async function readArtifactOf(blobs: BlobStore, artifacts: readonly ArtifactRef[], name: string): Promise<Result<Uint8Array>> {
  const artifact = artifacts.find((candidate) => candidate.name === name);
  if (artifact === undefined) return err({ reason: "artifact-missing", artifacts: [name], searched: [] });
  return blobs.get(artifact.digest);
}
