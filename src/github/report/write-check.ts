/** Writes a completed check run with any number of annotations. An annotation that GitHub rejects does not affect the others. */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import type { CheckAnnotation, CheckConclusion, CheckOutput, GitHub, NewCheck } from "../../core/github.ts";

export interface CompletedCheck {
  readonly head: Omit<NewCheck, "conclusion" | "output">;
  readonly conclusion: CheckConclusion;
  readonly output: Omit<CheckOutput, "annotations">;
  readonly annotations: readonly CheckAnnotation[];
}

export interface WrittenCheck {
  /** Whether GitHub received the check and its verdict. */
  readonly isCreated: boolean;
  /** Annotations that the check does not show. */
  readonly dropped: readonly CheckAnnotation[];
  /** The first failure, except for rejected annotations. */
  readonly failure?: Failure;
}

/** Maximum number of annotations per request: https://docs.github.com/en/rest/checks/runs. */
const batchSize = 50;
/** Maximum number of requests per check: enough for 10,000 accepted annotations, or about 15 rejected ones. */
const maxRequests = 200;

/** Creates the check with its verdict first, so that annotations can neither delay nor prevent it. */
export async function writeCheck(
  github: Pick<GitHub, "createCheck" | "updateCheck">,
  { head, conclusion, output, annotations }: CompletedCheck,
): Promise<WrittenCheck> {
  const created = await github.createCheck({ ...head, conclusion, output });
  if (!created.ok) return { isCreated: false, dropped: annotations, failure: created.error };
  const { id } = created.value;
  const dropped: CheckAnnotation[] = [];
  let failure: Failure | undefined;
  let requests = 0;
  const add = async (batch: readonly CheckAnnotation[]): Promise<void> => {
    if (failure !== undefined || requests >= maxRequests) {
      dropped.push(...batch);
      return;
    }
    requests += 1;
    const added = await github.updateCheck(id, { output: { ...output, annotations: batch } });
    if (added.ok) return;
    if (!isRefusal(added.error)) failure = added.error;
    if (failure !== undefined || batch.length === 1) {
      dropped.push(...batch);
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await add(batch.slice(0, middle));
    await add(batch.slice(middle));
  };
  for (let from = 0; from < annotations.length; from += batchSize) await add(annotations.slice(from, from + batchSize));
  return { isCreated: true, dropped, ...defined({ failure }) };
}

/** GitHub rejects all annotations of a request if one is invalid. */
function isRefusal(failure: Failure): boolean {
  return failure.reason === "github-failed" && failure.status === 422;
}
