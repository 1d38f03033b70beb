/** GitHub's API by its routes. The route of a request that adds something makes the compiler ask for its look-up. */
import type { Endpoints } from "@octokit/types";
import type { Result } from "../../core/result.ts";

export type Route = keyof Endpoints;

/** What a route takes. The client adds the repository. */
export type Parameters<R extends Route> = Omit<Endpoints[R]["parameters"], "owner" | "repo">;

export type Data<R extends Route> = Endpoints[R]["response"]["data"];

/** Every POST creates something. An update of a check run adds its annotations to those that it has. */
type Adding = `POST ${string}` | "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}";

/** Finds what a try whose answer was lost left; undefined if it left nothing. */
export type LookUp<R extends Route> = () => Promise<Result<Data<R> | undefined>>;

/** `doing` follows "to" in a sentence. Fails with `github-failed`. */
export type Api = <R extends Route>(
  doing: string,
  route: R,
  parameters: Parameters<R>,
  ...lookUp: R extends Adding ? [lookUp: LookUp<R>] : []
) => Promise<Result<Data<R>>>;

/** A list longer than this is cut, in pages of 100. */
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
