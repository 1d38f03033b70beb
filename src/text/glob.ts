/**
 * Matches paths, hosts and commands against patterns. Paths are relative to the project root, with forward slashes. Pure.
 *
 * Path patterns are picomatch globs, case-sensitive on every system: `*` and `?` stay within one path segment, `**` as a whole segment
 * crosses segments, `[abc]`, `[a-z]` and `{a,b}` work as in a shell, and `\` makes the next character literal. A leading `!` and `(…)`
 * are ordinary characters. Names with a leading dot match like any other. `dir/**` and its short form `dir/` also match `dir` itself.
 * A leading `./` or `/` is ignored.
 */
import picomatch from "picomatch";

/**
 * Returns a test for one path pattern. A path with a `.git` segment matches only if the pattern has a literal `.git` segment: neither
 * `**` nor `.g*` matches inside a repository's `.git`.
 */
export function pathPattern(pattern: string): (path: string) => boolean {
  const glob = normalized(pattern);
  const spellsGit = namesGit(glob);
  const matches = picomatch(glob, { dot: true, nonegate: true, noextglob: true, windows: false, nocase: false });
  return (path) => (spellsGit || !namesGit(path)) && matches(path);
}

/**
 * Returns a test for one path pattern of a deny rule. It also matches everything below a matching path, and has no exception for `.git`.
 */
export function subtreePattern(pattern: string): (path: string) => boolean {
  const matches = picomatch(normalized(pattern), { dot: true, nonegate: true, noextglob: true, windows: false, nocase: false });
  return (path) => {
    if (matches(path)) return true;
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) if (matches(path.slice(0, slash))) return true;
    return false;
  };
}

/** The leading literal segments of a path pattern. Every match is this path or below it. Empty for the root. */
export function globBase(pattern: string): string {
  const segments = pattern.split("/").filter((segment) => segment !== "" && segment !== ".");
  const magic = segments.findIndex((segment) => /[*?[\]{}\\]/.test(segment));
  return (magic === -1 ? segments : segments.slice(0, magic)).join("/");
}

/** Whether a path or pattern has a segment that is `.git`. */
export function namesGit(path: string): boolean {
  return path.includes(".git") && path.split("/").includes(".git");
}

/**
 * Returns a test for text without path segments (hosts, commands): `*` matches any characters, `?` one character, all else is literal.
 * Takes at most time proportional to the pattern's length times the text's.
 */
export function wildcard(pattern: string): (text: string) => boolean {
  return (text) => {
    let at = 0;
    let seen = 0;
    let star = -1;
    let retry = 0;
    while (at < text.length) {
      if (pattern[seen] === "*") {
        star = seen++;
        retry = at;
      } else if (pattern[seen] === "?" || pattern[seen] === text[at]) {
        seen++;
        at++;
      } else if (star === -1) {
        return false;
      } else {
        seen = star + 1;
        at = ++retry;
      }
    }
    while (pattern[seen] === "*") seen++;
    return seen === pattern.length;
  };
}

function normalized(pattern: string): string {
  const relative = pattern.replace(/^(?:\.?\/)+/, "");
  if (relative === "" || relative === ".") return "**";
  const literal = relative.replace(/\\.|[()]/g, (found) => (found.length > 1 ? found : `\\${found}`));
  return literal.endsWith("/") ? `${literal}**` : literal;
}
