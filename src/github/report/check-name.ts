/** Names of check runs. A required check is matched by its name, so every report of one job and pipeline uses the same one. Pure. */

/** GitHub's limit is not documented; names of this length are accepted. */
const longest = 250;

/**
 * The name of a pipeline's check, or of one of its contracts' with `what` = `STEP: CONTRACT`. `label` identifies the job, because GitHub may show a
 * check under another workflow.
 */
export function checkName(pipeline: string, label: string, what = ""): string {
  return `wave / ${pipeline}${what === "" ? "" : ` / ${what}`} (${label})`.slice(0, longest);
}
