/** Types of GitHub's API by route. The compiler requires a look-up for requests that add something. */
import type { Endpoints } from "@octokit/types";
import type { Result } from "../../core/result.ts";

export type Route = keyof Endpoints;

/** The parameters of a route. The client adds the repository. */
export type Parameters<R extends Route> = Omit<Endpoints[R]["parameters"], "owner" | "repo">;

export type Data<R extends Route> = Endpoints[R]["response"]["data"];

/** Requests that add something: every POST, and updates of check runs, which append annotations. */
type Adding = `POST ${string}` | "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}";

/** Finds the result of an earlier try without an answer; undefined if it had no effect. */
export type LookUp<R extends Route> = () => Promise<Result<Data<R> | undefined>>;

/** Makes a request. `doing` completes a sentence after "to". Fails with `github-failed`. */
export type Api = <R extends Route>(
  doing: string,
  route: R,
  parameters: Parameters<R>,
  ...lookUp: R extends Adding ? [lookUp: LookUp<R>] : []
) => Promise<Result<Data<R>>>;

/** Longer lists are cut, in pages of 100. */
const mostPages = 10;

/** Reads all pages of a list. */
export async function pages<T>(
  read: (page: { readonly per_page: 100; readonly page: number }) => Promise<Result<readonly T[]>>,
): Promise<Result<readonly T[]>> {
  const all: T[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const some = await read({ per_page: 100, page });
    if (!some.ok) return some;
    all.push(...some.value);
    if (some.value.length < 100) break;
  }
  return { ok: true, value: all };
}
