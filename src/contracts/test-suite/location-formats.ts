/** The forms in which compilers, linters and test runners print a place. Each has the groups `file`, `line`, and some of `column` and `message`. */

/** A place with its message on one line. */
export const messageForms: readonly RegExp[] = [
  // tsc: src/a.ts(3,5): error TS2304: message
  /^\s*(?<file>[^\s:]+)\((?<line>\d+),(?<column>\d+)\): (?<message>.+)$/,
  // tsc --pretty: src/a.ts:3:5 - error TS2304: message
  /^\s*(?<file>[^\s:"'()]+\.\w+):(?<line>\d+):(?<column>\d+) - (?<message>\S.*)$/,
  // gcc, eslint --format unix, go vet, pytest, ruff: src/a.c:3:5: message, src/a.py:3: message
  /^\s*(?<file>[^\s:"'()]+\.\w+):(?<line>\d+):(?:(?<column>\d+):)? ?(?<message>\S.*)$/,
];

/** A place whose message is on the next line. */
export const headForms: readonly RegExp[] = [
  // webpack: ERROR in ./src/a.ts:3:5, ERROR in ./src/a.ts 3:5-10
  /^\s*(?<level>ERROR|WARNING) in (?<file>[^\s:]+)[: ](?<line>\d+)(?::(?<column>\d+))?(?:-[\d:]+)?:?(?: (?<message>\S.*))?$/,
  // Rust: thread 'main' panicked at src/a.rs:3:5:
  /^\s*thread .*? panicked at (?<file>[^\s:]+\.\w+):(?<line>\d+):(?<column>\d+):?$/,
];

/** A place whose message was printed before it. */
export const placeForms: readonly RegExp[] = [
  // TAP of node --test: location: '/path/a.test.js:3:1'
  /^\s*location: ['"](?<file>(?:file:)?[^'":]+):(?<line>\d+):(?<column>\d+)['"]$/,
  // vitest: ❯ src/a.test.ts:3:5; rustc: --> src/a.rs:3:5
  /^\s*(?:❯ (?:.{1,200} )?|--> )(?<file>[^\s:"'()]+\.\w+):(?<line>\d+)(?::(?<column>\d+))?$/,
];

/** One call of a stack, the innermost first. V8: `at f (src/a.js:3:5)`, `at async file:///src/a.js:3:5`. */
export const innermostFirst =
  /^\s*at (?:(?:.{1,500} )?\()?(?:async )?(?<file>(?:file:\/\/)?[^\s:"'()]+\.\w+):(?<line>\d+)(?::(?<column>\d+))?\)?$/;

/** One call of a stack, the innermost last. Python: `File "src/a.py", line 3, in f`. */
export const innermostLast = /^\s*File "(?<file>[^"]+)", line (?<line>\d+)(?:, in .*)?$/;

/** A file's name on a line of its own, above its places (ESLint, stylelint). */
export const fileHeading = /^(?<file>\/?[^\s:"'()][^:"']*\.\w+)$/;
export const underHeading = /^\s+(?<line>\d+):(?<column>\d+)\s+(?<message>(?<level>error|warning|✖|⚠|ℹ)\s.*\S)\s*$/;

/** What failed, printed before its place: TAP, jest, vitest, `node --test`, rustc, and errors of V8. */
export const failureTitle =
  /^\s*(?:not ok \d+ (?:- )?(?<tap>.*)|(?<diagnostic>(?:error|warning)(?:\[\w+\])?: .*)|(?<title>(?:FAIL|×|✖|✕|●)\s.*|(?:Uncaught )?(?:\w+: )?\w*(?:Error|Exception)\b(?: \[\w+\])?: .*))$/;

/** How serious a message is by its own first word. Compilers also print warnings and notes. */
export function declaredLevel(message: string): "test" | "warning" | "note" {
  if (/^(?:\[?warn(?:ing)?[\]:]|warning\s+(?:\w*\d+:|\s)|⚠|\w*Warning:)/i.test(message)) return "warning";
  return /^(?:\[?(?:note|info|help|remark|hint)[\]:]|ℹ)/i.test(message) ? "note" : "test";
}
