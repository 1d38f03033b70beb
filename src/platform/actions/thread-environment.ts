/** Builds the environment of the toolkit's thread: its clients can read variables, but programs that they start do not inherit them. */

type Variables = Readonly<Record<string, string | undefined>>;

/** Variables that `tar`, `zstd` and similar programs need. */
const inherited =
  /^(?:PATH|HOME|TMPDIR|TEMP|TMP|TZ|TAR_OPTIONS|LANG|LC_[A-Z]+|LD_LIBRARY_PATH|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|PROGRAMFILES)$/i;

/**
 * Variables that can be read by name, but not listed, except a few. A program that starts with a copy of the environment gets no token:
 * the cache client starts `tar` like this, and every process of the same user could read its environment.
 */
export function withoutInheritance(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return new Proxy(variables, {
    ownKeys: (target) => Reflect.ownKeys(target).filter((name) => inherited.test(String(name))),
    // Without this trap, the proxy would define a property, which `process.env` refuses.
    set: (target, name, value) => Reflect.set(target, name, value),
  });
}

/** The variables that the clients read: those of the runner, without the workflow's secrets. */
export function clientVariables(variables: Variables): Variables {
  const read = /^(?:ACTIONS_|GITHUB_|RUNNER_|CACHE_|SEGMENT_|NODE_|SSL_CERT_|(?:HTTPS?|ALL|NO)_PROXY$)/i;
  const kept = Object.entries(variables).filter(
    ([name]) => (read.test(name) || inherited.test(name)) && name !== "GITHUB_TOKEN" && name !== "NODE_AUTH_TOKEN",
  );
  return Object.fromEntries(kept);
}
