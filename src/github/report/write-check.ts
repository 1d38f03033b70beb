/** Writes a completed check run with any number of annotations. One that GitHub refuses costs no other. */
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
  /** Whether GitHub has the check and its verdict. */
  readonly isCreated: boolean;
  /** Annotations that the check does not show. */
  readonly dropped: readonly CheckAnnotation[];
  /** The first failure other than a refused annotation. Undefined if the check is complete except for `dropped`. */
  readonly failure?: Failure;
}

/** Annotations of one request, by https://docs.github.com/en/rest/checks/runs. */
const batchSize = 50;
/** Requests that add annotations to one check: 10,000 accepted annotations, or about 15 refused ones. */
const mostRequests = 200;

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
    if (failure !== undefined || requests >= mostRequests) {
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

/** GitHub refuses all annotations of a request because of one. */
function isRefusal(failure: Failure): boolean {
  return failure.reason === "github-failed" && failure.status === 422;
}
