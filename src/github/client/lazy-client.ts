/** Loads GitHub's client on the first call: it is large, and no step waits for it. */
import type { Failure } from "../../core/failure.ts";
import type { GitHub } from "../../core/github.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { GitHubRequest } from "./client.ts";

/** Returns the client at once. If its module, which reads the runner's files, cannot be loaded, calls fail with `github-failed`. */
export function lazyGitHub(request: GitHubRequest): GitHub {
  let loaded: Promise<Result<GitHub>> | undefined;
  const load = () => {
    loaded ??= import("./client.ts").then(({ openGitHub }) => ok(openGitHub(request)), unloadable);
    return loaded;
  };
  const calls: ProxyHandler<GitHub> = {
    get:
      (_none, name) =>
      async (...given: readonly unknown[]) => {
        const github = await load();
        if (!github.ok) return github;
        const call = github.value[name as keyof GitHub] as (...given: readonly unknown[]) => unknown;
        return call(...given);
      },
  };
  return new Proxy({} as GitHub, calls);
}

function unloadable(error: unknown): Result<never, Failure> {
  const detail = `its client cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  return err({ reason: "github-failed", doing: "call its API", detail });
}
