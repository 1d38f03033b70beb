/**
 * Which comments and reviews the account of a token wrote. Every user can copy a marker into a comment, so the author decides: GitHub's answer, never the
 * text.
 */
import type { Failure } from "../../model/failure.ts";
import type { Result } from "../../model/result.ts";

/** An author as GitHub lists it; null if the account was deleted. */
export type Author = { readonly login: string; readonly type: string } | null;

export interface AccountQuestions {
  /** The login of a user's token, by `GET /user`. GitHub refuses the call for the token of an app. */
  userLogin(): Promise<Result<string, Failure>>;
  /** The login of any token, by GraphQL's `viewer`; an app's ends with `[bot]`. */
  viewerLogin(): Promise<Result<string, Failure>>;
}

export interface Account {
  /** Whether the account wrote a comment of this author. The account is read at most once, and only if an author could be it. */
  isAuthor(author: Author): Promise<boolean>;
}

/** The account of a workflow's own token. */
const actionsBot = "github-actions[bot]";
/** Tokens of an app's installation, such as a job's. https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/ */
const installation = "ghs_";

export function accountOf(token: string, questions: AccountQuestions): Account {
  let login: Promise<string | undefined> | undefined;
  const read = async () => {
    const user = token.startsWith(installation) ? undefined : await questions.userLogin();
    if (user?.ok) return user.value;
    const viewer = await questions.viewerLogin();
    return viewer.ok ? viewer.value : undefined;
  };
  return {
    async isAuthor(author) {
      if (author === null) return false;
      if (token.startsWith(installation)) {
        if (author.type !== "Bot") return false;
        if (author.login === actionsBot) return true;
      }
      login ??= read();
      return (await login)?.toLowerCase() === author.login.toLowerCase();
    },
  };
}
