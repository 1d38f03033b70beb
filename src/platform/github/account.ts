/**
 * Determines which comments and reviews the account of a token wrote. Any user can copy a marker into a comment, so only the author that
 * GitHub reports counts, never the text.
 */
import type { Failure } from "../../core/failure.ts";
import { ok, type Result } from "../../core/result.ts";

/** An author as GitHub reports it; null if the account was deleted. */
export type Author = { readonly login: string; readonly type: string } | null;

export interface AccountQuestions {
  /** The login of a user's token, from `GET /user`. GitHub refuses the call for an app's token. */
  userLogin(): Promise<Result<string, Failure>>;
  /** The login of any token, from GraphQL's `viewer`. An app's login ends in `[bot]`. */
  viewerLogin(): Promise<Result<string, Failure>>;
}

export interface Account {
  /**
   * Whether an author is the account. Reads the account at most once, and only if the author could be it. Fails with `github-failed` if
   * GitHub does not return the account.
   */
  isAuthor(author: Author): Promise<Result<boolean>>;
}

/** The account of a workflow's own token. */
const actionsBot = "github-actions[bot]";
/** The prefix of installation tokens, such as a job's. https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/ */
const installation = "ghs_";

export function accountOf(token: string, questions: AccountQuestions): Account {
  const isInstallation = token.startsWith(installation);
  let login: string | undefined;
  const read = async (): Promise<Result<string>> => {
    const user = isInstallation ? undefined : await questions.userLogin();
    // An app's token may have another prefix.
    return user === undefined || (!user.ok && isRefused(user.error)) ? questions.viewerLogin() : user;
  };
  return {
    async isAuthor(author) {
      if (author === null || (isInstallation && author.type !== "Bot")) return ok(false);
      if (isInstallation && author.login === actionsBot) return ok(true);
      if (login === undefined) {
        const known = await read();
        if (!known.ok && !isRefused(known.error)) return known;
        login = known.ok ? known.value : "";
      }
      return ok(login.toLowerCase() === author.login.toLowerCase());
    },
  };
}

function isRefused(failure: Failure): boolean {
  return failure.reason === "github-failed" && failure.limited !== true && failure.unanswered !== true;
}
