/** The client, loaded by the first call: it is large, and nothing that a step waits for needs it. */
import type { GitHub } from "../../model/github.ts";
import type { GitHubRequest } from "./client.ts";

/** Gives the port at once. */
export function lazyGitHub(request: GitHubRequest): GitHub {
  let loaded: Promise<GitHub> | undefined;
  const load = () => {
    loaded ??= import("./client.ts").then(({ openGitHub }) => openGitHub(request));
    return loaded;
  };
  const calls: ProxyHandler<GitHub> = {
    get:
      (_none, name) =>
      async (...given: readonly unknown[]) => {
        const github = await load();
        const call = github[name as keyof GitHub] as (...given: readonly unknown[]) => unknown;
        return call(...given);
      },
  };
  return new Proxy({} as GitHub, calls);
}
