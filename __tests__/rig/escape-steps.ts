/** Steps that try what only shows at their end, or after it, and how each has to end. `MARK` is in the command line of everything that is to be gone. */
import { expect } from "vitest";

export interface EscapeStep {
  /** The step's id: what is tried. */
  readonly id: string;
  readonly command: string;
  /** More keys of the step. */
  readonly keys?: Readonly<Record<string, unknown>>;
  /** `passed`, or the failure of its last attempt. */
  readonly ends: unknown;
  /** What the artifact `report` holds, where it makes one. */
  readonly reports?: string;
}

const reporting = { artifacts: ["report"] };
const toReport = 'exec >"$WAVE_OUTPUT_DIR/report"; can() { if "$@" >/dev/null 2>&1 </dev/null; then echo yes; else echo no; fi; }; ';
/** Stays until it is ended, with a mark in its command line. */
const stay = 'node -e "setInterval(() => {}, 1e6)" $MARK';
const refused = (artifact: string) => ({ reason: "artifact-refused", artifact, path: expect.any(String), detail: expect.any(String) });

export const writes: readonly EscapeStep[] = [
  {
    id: "write-beside-the-allowed",
    command: "mkdir src; echo 1 >src/a; echo 2 >b.txt",
    keys: { permissions: { allow: ["file_write:src/**"] } },
    ends: { reason: "write-denied", paths: ["b.txt"], denied: [{ access: "writing b.txt", rules: ["file_write:src/**"] }] },
  },
  {
    id: "write-to-the-denied",
    command: `${toReport} can touch locked/new; can sh -c 'echo x >locked/f'; can rm -r locked; can mv locked x; can mount -o remount,rw locked`,
    keys: { ...reporting, permissions: { deny: ["file_write:locked/**"] } },
    ends: "passed",
    reports: "no\nno\nno\nno\nno\n",
  },
  {
    id: "write-into-an-input",
    command: `${toReport} cd "$WAVE_INPUTS_DIR"; can chmod u+w made; can sh -c 'echo evil >made'; can rm made; can touch new; cat made`,
    keys: { ...reporting, inputs: [{ artifact: "made", from: "make" }] },
    ends: "passed",
    reports: "no\nno\nno\nno\noriginal\n",
  },
  { id: "make", command: 'echo original >"$WAVE_OUTPUT_DIR/made"', keys: { artifacts: ["made"] }, ends: "passed" },
];

export const reads: readonly EscapeStep[] = [
  {
    id: "read-the-hidden",
    command: `${toReport} can cat secret.txt; cat *.txt; ln -s secret.txt s; can cat s; can ls keys; can cat keys/k; can git show HEAD:secret.txt; can ls .git; can git cat-file -p HEAD; ls -A`,
    keys: {
      ...reporting,
      permissions: { deny: ["file_read:secret.txt", "file_read:keys/**"] },
      handover: {
        contract: { type: "test_suite", command: "grep -q canary secret.txt keys/k && ! grep -e canary -e extraheader .git/config" },
      },
    },
    ends: "passed",
    reports: "no\nopen\nno\nno\nno\nno\nno\nno\n.gitignore\n.wave\na.txt\ncheck.sh\ndeep\nlocked\ns\ns.json\nwave.yaml\n",
  },
  {
    id: "read-anothers-secret",
    command: `${toReport} env | grep -c -e S_ONE -e $(printf 'cana%s' ry); cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c S_ONE; true`,
    keys: reporting,
    ends: "passed",
    reports: "0\n0\n",
  },
  { id: "has-a-secret", command: 'test -n "$S_ONE"', keys: { secrets: ["S_ONE"] }, ends: "passed" },
  {
    id: "read-an-earlier-attempt",
    command:
      '[ -e "$HOME/x" ] || [ -e "$TMPDIR/x" ] || [ -e x ] || [ -e /dev/shm/x ] || [ -e "$WAVE_OUTPUT_DIR/x" ] && exit 9; touch "$HOME/x" "$TMPDIR/x" x /dev/shm/x "$WAVE_OUTPUT_DIR/x"',
    keys: { handover: { contract: { type: "test_suite", command: "exit 1", on_failure: "retry", max_retries: 1 } } },
    ends: { reason: "contract-failed", contracts: [expect.objectContaining({ verdict: "fail" })] },
  },
  {
    id: "artifact-from-outside",
    command: 'ln -s /etc/passwd "$WAVE_OUTPUT_DIR/got"',
    keys: { artifacts: ["got"] },
    ends: refused("got"),
  },
  {
    id: "artifact-from-outside-by-path",
    command: "ln -s $OUTSIDE/secret.txt got",
    keys: { artifacts: [{ name: "got", path: "got" }] },
    ends: expect.objectContaining({ reason: expect.stringMatching(/^artifact-refused$|^file-unreadable$/) }),
  },
  {
    id: "artifact-from-git",
    command: "ln -s .git/config got",
    keys: { artifacts: [{ name: "got", path: "got" }] },
    ends: expect.toBeOneOf([refused("got"), "passed"]),
  },
  {
    id: "artifact-from-state",
    command: "ln -s .wave/state/workspaces/$WAVE_RUN_ID/artifact-from-state.1/task.md got",
    keys: { artifacts: [{ name: "got", path: "got" }] },
    ends: expect.objectContaining({ reason: expect.stringMatching(/^artifact-refused$|^file-unreadable$/) }),
  },
  {
    id: "artifact-output-elsewhere",
    command: 'rmdir "$WAVE_OUTPUT_DIR" && ln -s /etc "$WAVE_OUTPUT_DIR"; true',
    keys: { artifacts: [{ name: "passwd" }] },
    ends: expect.objectContaining({ reason: "artifact-missing", artifacts: ["passwd"] }),
  },
  { id: "artifact-pipe", command: 'mkfifo "$WAVE_OUTPUT_DIR/got"', keys: { artifacts: ["got"] }, ends: refused("got") },
  {
    id: "artifact-socket",
    command: "cd \"$WAVE_OUTPUT_DIR\"; node -e \"require('net').createServer().listen('got',()=>process.kill(process.pid,9))\"; true",
    keys: { artifacts: ["got"] },
    ends: refused("got"),
  },
  {
    id: "artifact-device",
    command: 'mknod "$WAVE_OUTPUT_DIR/got" c 0 0',
    keys: { artifacts: ["got"] },
    ends: refused("got"),
  },
];

export const links: readonly EscapeStep[] = [
  {
    id: "hidden-behind-a-link",
    command: "rm -rf deep; ln -s $OUTSIDE deep",
    keys: { permissions: { deny: ["file_read:deep/k"] }, handover: { contract: { type: "test_suite", command: "true" } } },
    ends: "passed",
  },
];

export const gates: readonly EscapeStep[] = [
  {
    id: "rewrite-the-schema",
    command: 'echo "{}" >s.json; echo 7 >"$WAVE_OUTPUT_DIR/n.json"',
    keys: { artifacts: ["n"], handover: { contract: { type: "json_schema", schema: "s.json" } } },
    ends: { reason: "contract-failed", contracts: [expect.objectContaining({ verdict: "fail" })] },
  },
  { id: "rewrite-the-manifest", command: "echo 'steps: [{ id: evil, persona: evil }]' >wave.yaml", ends: "passed" },
  {
    id: "after-the-manifest",
    command: "grep -c evil wave.yaml",
    keys: { dependencies: ["rewrite-the-manifest"] },
    ends: "passed",
  },
  {
    // What a test command reads is the agent's work, as docs/contracts.md says.
    id: "rewrite-the-test",
    command: "echo 'exit 0' >check.sh",
    keys: { handover: { contract: { type: "test_suite", command: "sh check.sh" } } },
    ends: "passed",
  },
  {
    id: "fail-the-test",
    command: "true",
    keys: { handover: { contract: { type: "test_suite", command: "sh check.sh" } } },
    ends: { reason: "contract-failed", contracts: [expect.objectContaining({ verdict: "fail" })] },
  },
  {
    id: "contract-writes",
    command: "true",
    keys: {
      handover: { contract: { type: "test_suite", command: 'echo x >by-contract; ! touch "$WAVE_OUTPUT_DIR/x" && [ -z "$S_ONE" ]' } },
      secrets: ["S_ONE"],
    },
    ends: "passed",
  },
  {
    id: "leave-a-trap-for-the-contract",
    command:
      'printf "[core]\\n\\tfsmonitor = touch trapped\\n" >"$HOME/.gitconfig"; printf "touch trapped" >"$HOME/.profile"; mkdir bin; printf "#!/bin/sh\\ntouch trapped" >bin/git; chmod +x bin/git',
    keys: {
      handover: { contract: { type: "test_suite", command: "git status >/dev/null; [ ! -e trapped ] && [ ! -e $HOME/.gitconfig ]" } },
    },
    ends: "passed",
  },
];

export const resources: readonly EscapeStep[] = [
  {
    id: "memory-hog",
    command: "node -e 'const a=[];setInterval(()=>a.push(Buffer.alloc(2e7,1)),1)' $MARK",
    keys: { resources: { memory_limit: "200MB" } },
    ends: { reason: "memory-exceeded", limitBytes: 200_000_000, peakBytes: expect.any(Number) },
  },
  {
    id: "fork-bomb",
    command: `f() { [ $1 = 0 ] || { f $(($1 - 1)) & f $(($1 - 1)) & wait; }; [ $1 != 0 ] || exec ${stay}; }; f 6`,
    keys: { resources: { memory_limit: "300MB", timeout: "1m" } },
    ends: { reason: "memory-exceeded", limitBytes: 300_000_000, peakBytes: expect.any(Number) },
  },
  {
    id: "disk-filler",
    command: `head -c 60000000 /dev/zero >big; exec ${stay}`,
    keys: { resources: { disk_limit: "50MB" } },
    ends: { reason: "disk-exceeded", limitBytes: 50_000_000, usedBytes: expect.any(Number) },
  },
  {
    id: "sparse-file",
    command: 'truncate -s 400G "$TMPDIR/sparse"; truncate -s 1100M sparse',
    keys: { resources: { disk_limit: "50MB" } },
    ends: { reason: "changeset-refused", path: "sparse", detail: expect.stringContaining("1100MiB") },
  },
  {
    id: "daemon-past-the-timeout",
    command: `setsid ${stay} & (setsid sh -c '${stay} & exec ${stay}' &) ; trap '' TERM; exec ${stay}`,
    keys: { resources: { timeout: "1s" } },
    ends: expect.objectContaining({ reason: "timeout", limitMs: 1000 }),
  },
  {
    id: "daemon-past-the-end",
    command: `(setsid sh -c 'trap "" TERM HUP; while kill -0 '$$' 2>/dev/null; do :; done; echo x >late.txt; exec ${stay}' $MARK &) ; (setsid ${stay} >/dev/null 2>&1 </dev/null &); true`,
    ends: "passed",
  },
  { id: "kill-everything", command: "kill -9 -1; true", ends: "passed" },
  { id: "output-flood", command: "yes 'a line of a flood' | head -c 20000000", ends: "passed" },
];
