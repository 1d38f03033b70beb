/** The environment of the toolkit's thread: readable by name for the clients, and not inherited by the programs that they start. */

type Variables = Readonly<Record<string, string | undefined>>;

/** What `tar`, `zstd` and their like need. */
const inherited =
  /^(?:PATH|HOME|TMPDIR|TEMP|TMP|TZ|TAR_OPTIONS|LANG|LC_[A-Z]+|LD_LIBRARY_PATH|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|PROGRAMFILES)$/i;

/**
 * Variables of which only a few can be listed: a program that is started with a copy of them gets no token. The cache client runs `tar` that way, and
 * every process of the same user could read its environment.
 */
export function withoutInheritance(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return new Proxy(variables, {
    ownKeys: (target) => Reflect.ownKeys(target).filter((name) => inherited.test(String(name))),
    // An environment takes no property that a proxy defines.
    set: (target, name, value) => Reflect.set(target, name, value),
  });
}

/** What the clients read: the runner's variables. Secrets of the workflow stay away from the thread. */
export function clientVariables(variables: Variables): Variables {
  const read = /^(?:ACTIONS_|GITHUB_|RUNNER_|CACHE_|SEGMENT_|NODE_|SSL_CERT_|(?:HTTPS?|ALL|NO)_PROXY$)/i;
  const kept = Object.entries(variables).filter(
    ([name]) => (read.test(name) || inherited.test(name)) && name !== "GITHUB_TOKEN" && name !== "NODE_AUTH_TOKEN",
  );
  return Object.fromEntries(kept);
}
