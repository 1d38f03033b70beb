/** Location formats of compilers, linters and test runners. Groups: `file`, `line` and, in some, `column`, `message` and `level`. */

/** A location and its message on one line. */
export const messageForms: readonly RegExp[] = [
  // tsc: src/a.ts(3,5): error TS2304: message
  /^\s*(?<file>[^\s:]+)\((?<line>\d+),(?<column>\d+)\): (?<message>.+)$/,
  // tsc --pretty: src/a.ts:3:5 - error TS2304: message
  /^\s*(?<file>[^\s:"'()]+\.\w+):(?<line>\d+):(?<column>\d+) - (?<message>\S.*)$/,
  // gcc, eslint --format unix, go vet, pytest, ruff: src/a.c:3:5: message, src/a.py:3: message
  /^\s*(?<file>[^\s:"'()]+\.\w+):(?<line>\d+):(?:(?<column>\d+):)? ?(?<message>\S.*)$/,
];

/** A location whose message is on the next line. */
export const headForms: readonly RegExp[] = [
  // webpack: ERROR in ./src/a.ts:3:5, ERROR in ./src/a.ts 3:5-10
  /^\s*(?<level>ERROR|WARNING) in (?<file>[^\s:]+)[: ](?<line>\d+)(?::(?<column>\d+))?(?:-[\d:]+)?:?(?: (?<message>\S.*))?$/,
  // Rust: thread 'main' panicked at src/a.rs:3:5:
  /^\s*thread .*? panicked at (?<file>[^\s:]+\.\w+):(?<line>\d+):(?<column>\d+):?$/,
];

/** A location whose message was printed before it. */
export const locationForms: readonly RegExp[] = [
  // TAP of node --test: location: '/path/a.test.js:3:1'
  /^\s*location: ['"](?<file>(?:file:)?[^'":]+):(?<line>\d+):(?<column>\d+)['"]$/,
  // vitest: ❯ src/a.test.ts:3:5; rustc: --> src/a.rs:3:5
  /^\s*(?:❯ (?:.{1,200} )?|--> )(?<file>[^\s:"'()]+\.\w+):(?<line>\d+)(?::(?<column>\d+))?$/,
];

/** One frame of a stack, innermost first. V8: `at f (src/a.js:3:5)`, `at async file:///src/a.js:3:5`. */
export const innermostFirst =
  /^\s*at (?:(?:.{1,500} )?\()?(?:async )?(?<file>(?:file:\/\/)?[^\s:"'()]+\.\w+):(?<line>\d+)(?::(?<column>\d+))?\)?$/;

/** One frame of a stack, innermost last. Python: `File "src/a.py", line 3, in f`. */
export const innermostLast = /^\s*File "(?<file>[^"]+)", line (?<line>\d+)(?:, in .*)?$/;

/** A file name on its own line above its locations (ESLint, stylelint). */
export const fileHeading = /^(?<file>\/?[^\s:"'()][^:"']*\.\w+)$/;
export const underHeading = /^\s+(?<line>\d+):(?<column>\d+)\s+(?<message>(?<level>error|warning|✖|⚠|ℹ)\s.*\S)\s*$/;

/** The title of a failure, printed before its location: TAP, jest, vitest, `node --test`, rustc, and errors of V8. */
export const testFailureTitle =
  /^\s*(?:not ok \d+ (?:- )?(?<tap>.*)|(?<diagnostic>(?:error|warning)(?:\[\w+\])?: .*)|(?<title>(?:FAIL|×|✖|✕|●)\s.*|(?:Uncaught )?(?:\w+: )?\w*(?:Error|Exception)\b(?: \[\w+\])?: .*))$/;

/** The severity from the first word of a message. Compilers print warnings and notes too. */
export function declaredLevel(message: string): "test" | "warning" | "note" {
  if (/^(?:\[?warn(?:ing)?[\]:]|warning\s+(?:\w*\d+:|\s)|⚠|\w*Warning:)/i.test(message)) return "warning";
  return /^(?:\[?(?:note|info|help|remark|hint)[\]:]|ℹ)/i.test(message) ? "note" : "test";
}
