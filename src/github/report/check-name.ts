/** Names of check runs. A required check is matched by its name, so every report of one job and pipeline uses the same one. Pure. */

/** Maximum length, in characters. GitHub does not document its limit, but accepts this. */
const maxLength = 250;

/**
 * The name of a pipeline's check or, with `contract` = `STEP: CONTRACT`, of a contract's. `label` identifies the job, because
 * GitHub may show a check under another workflow.
 */
export function checkName(pipeline: string, label: string, contract = ""): string {
  return `wave / ${pipeline}${contract === "" ? "" : ` / ${contract}`} (${label})`.slice(0, maxLength);
}
