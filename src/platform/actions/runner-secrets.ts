/** Removes the runner's secrets from the environments of steps, git and other children. */

/** The runtime token and service addresses, OIDC, the Action's inputs and state, and files with commands for the runner. */
const withheld = /^(?:ACTIONS_|INPUT_|STATE_)|^(?:GITHUB_TOKEN|GITHUB_ENV|GITHUB_OUTPUT|GITHUB_PATH|GITHUB_STATE|GITHUB_STEP_SUMMARY)$/;

/** The environment of children, without the runner's secrets. Secrets that a manifest declares are passed separately, except these. */
export function withoutRunnerSecrets(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !withheld.test(name)));
}

/** Variables that Wave itself needs, even if a manifest declares them as secrets. */
const needed = /^(?:PATH|HOME|TMPDIR|LANG|LC_[A-Z]+|(?:HTTPS?|ALL|NO)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR)$/i;

/** Deletes a manifest's secrets from `process.env`. Steps get them from the copy of the job's initial environment. */
export function forgetSecrets(names: readonly string[]): void {
  for (const name of names) if (!needed.test(name)) delete process.env[name];
}

/** Deletes the runner's secrets from `process.env`, which git and other programs inherit. Keeps variables for workflow commands. */
export function forgetRunnerSecrets(): void {
  for (const name of Object.keys(process.env)) if (/^(?:ACTIONS_|INPUT_)|^GITHUB_TOKEN$/.test(name)) delete process.env[name];
}
