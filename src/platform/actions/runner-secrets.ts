/** What of a job's environment no step, no git and no other child may see. */

/** The runtime token and service addresses, OIDC, the Action's inputs and state, and files that speak to the runner. */
const kept = /^(?:ACTIONS_|INPUT_|STATE_)|^(?:GITHUB_TOKEN|GITHUB_ENV|GITHUB_OUTPUT|GITHUB_PATH|GITHUB_STATE|GITHUB_STEP_SUMMARY)$/;

/** The environment without them. A secret that a manifest declares is handed to the step under its own name, if it is not one of these. */
export function withoutRunnerSecrets(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !kept.test(name)));
}

/** What Wave's own programs and connections need, even if a manifest declares it as a secret. */
const needed = /^(?:PATH|HOME|TMPDIR|LANG|LC_[A-Z]+|(?:HTTPS?|ALL|NO)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR)$/i;

/** Takes the secrets that a manifest declares out of this process's own environment. Steps get them from the copy that the job was started with. */
export function forgetSecrets(names: readonly string[]): void {
  for (const name of names) if (!needed.test(name)) delete process.env[name];
}

/** Takes what is secret of it out of this process's own environment, which git and other programs inherit. What the runner is spoken to by stays. */
export function forgetRunnerSecrets(): void {
  for (const name of Object.keys(process.env)) if (/^(?:ACTIONS_|INPUT_)|^GITHUB_TOKEN$/.test(name)) delete process.env[name];
}
