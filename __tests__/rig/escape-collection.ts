/** Steps that leave something for Wave to read, and steps that work in place. See `escape-steps.ts`. */
import { expect } from "vitest";
import type { EscapeStep } from "./escape-steps.ts";

const refusedOrGone = expect.objectContaining({
  reason: expect.stringMatching(/^(?:artifact-refused|artifact-missing|file-unreadable|artifact-too-large|changeset-refused)$/),
});
const reporting = { artifacts: ["report"] };
const toReport = 'exec >"$WAVE_OUTPUT_DIR/report"; can() { if "$@" >/dev/null 2>&1 </dev/null; then echo yes; else echo no; fi; }; ';

/** An artifact `got` at a path of the tree that a command prepares. */
const byPath = (id: string, command: string, path = "got"): EscapeStep => ({
  id,
  command,
  keys: { artifacts: [{ name: "got", path }] },
  ends: refusedOrGone,
});

export const collections: readonly EscapeStep[] = [
  byPath("collect-the-shadow-file", "ln -s /etc/shadow got"),
  byPath("collect-through-a-parent-link", "ln -s /etc d", "d/passwd"),
  byPath("collect-through-two-links", "ln -s $OUTSIDE d; ln -s d/secret.txt got"),
  byPath("collect-by-a-relative-link", 'ln -s "../../../../../../../../../../../../$OUTSIDE/secret.txt" got'),
  byPath("collect-waves-environment", "ln -s /proc/self/environ got"),
  byPath("collect-waves-descriptors", "ln -s /proc/self/fd/0 got"),
  byPath("collect-waves-root", "ln -s /proc/self/root$OUTSIDE/secret.txt got"),
  byPath("collect-waves-memory", "ln -s /proc/self/mem got"),
  byPath("collect-standard-input", "ln -s /dev/stdin got"),
  byPath("collect-an-endless-device", "ln -s /dev/zero got"),
  byPath("collect-a-hard-link", "ln $OUTSIDE/secret.txt got || ln /etc/shadow got || ln /etc/passwd got; true"),
  byPath("collect-a-pipe", "mkfifo got"),
  byPath("collect-a-device", "mknod got c 1 5; true"),
  byPath("collect-a-socket", "node -e \"require('net').createServer().listen('got',()=>process.kill(process.pid,9))\"; true"),
  byPath("collect-a-loop", "ln -s got2 got; ln -s got got2"),
  byPath("collect-a-directory-as-file", "mkdir got"),
  byPath("collect-a-huge-file", "truncate -s 3G got"),
  {
    id: "collect-a-directory-of-links",
    command: 'mkdir "$WAVE_OUTPUT_DIR/got"; cd "$WAVE_OUTPUT_DIR/got"; ln -s $OUTSIDE/secret.txt a; ln -s $OUTSIDE b; ln -s /etc/shadow c',
    keys: { artifacts: ["got"] },
    ends: expect.anything(),
  },
  {
    id: "swap-a-directory-after-the-end",
    command:
      'mkdir d; echo inside >d/file; ln -s $OUTSIDE link; (setsid node -e \'const {renameSync:m}=require("fs");for(;;)try{m("d","aside");m("link","d");m("d","link");m("aside","d")}catch{}\' $MARK >/dev/null 2>&1 &); sleep 0.3',
    keys: { artifacts: [{ name: "got", path: "d/secret.txt", optional: true }] },
    ends: expect.anything(),
  },
  {
    id: "change-only-links",
    command: "ln -s $OUTSIDE over; ln -s /etc/shadow shadow; mkdir n; ln -s ../../.. n/up",
    ends: "passed",
  },
  {
    id: "change-with-pipes-and-sockets",
    command: "mkfifo p; node -e \"require('net').createServer().listen('s',()=>process.kill(process.pid,9))\"; echo x >kept",
    ends: expect.anything(),
  },
  {
    id: "change-without-rights",
    command: "mkdir shut; echo x >shut/f; chmod 000 shut/f shut; echo y >closed; chmod 000 closed",
    ends: expect.anything(),
  },
  {
    id: "change-into-git",
    command:
      "mkdir -p sub/.git/hooks; echo 'touch trapped' >sub/.git/hooks/post-checkout; chmod +x sub/.git/hooks/post-checkout; echo x >sub/f",
    ends: expect.anything(),
  },
  {
    id: "change-too-deep",
    command: 'n=$(printf "%0200d" 0); i=0; while [ $i -lt 40 ]; do mkdir $n && cd $n || break; i=$((i+1)); done; echo x >bottom; true',
    ends: expect.anything(),
  },
  {
    id: "stop-the-group",
    command: "kill -STOP 0; true",
    keys: { resources: { timeout: "2s" } },
    ends: expect.objectContaining({ reason: expect.stringMatching(/^(?:timeout|adapter-failed|command-failed)$/) }),
  },
  {
    id: "kill-the-group",
    command: "kill -KILL 0; true",
    ends: expect.objectContaining({ reason: expect.any(String) }),
  },
];

/** Steps in the project itself. A network rule makes Wave put them into the sandbox. */
const inPlace = { workspace: "shared", permissions: { deny: ["network_access:*"] } };

export const shared: readonly EscapeStep[] = [
  {
    id: "in-place-state-moved-aside",
    command: `${toReport} can mv .wave .old; can mv .wave/state .wave/old; can rm -r .wave; can rmdir .wave/state; can ln -sfnT $OUTSIDE .wave; ls -A .wave/state`,
    keys: { ...reporting, ...inPlace },
    ends: "passed",
    reports: "no\nno\nno\nno\nno\n",
  },
  {
    id: "in-place-state-written",
    command: `${toReport} can sh -c 'echo x >.wave/state/journals/x'; can touch .wave/state/x; can mkdir .wave/state/blobs; can mount --bind $TMPDIR .wave/state; can umount .wave/state`,
    keys: { ...reporting, ...inPlace, dependencies: ["in-place-state-moved-aside"] },
    ends: "passed",
    reports: "no\nno\nno\nno\nno\n",
  },
  {
    id: "in-place-outside-the-project",
    command: `${toReport} echo x >../wave-escaped; can touch $OUTSIDE/new; can cat $OUTSIDE/secret.txt; can mv ../$(basename "$PWD") ../moved; can rmdir "$PWD"`,
    keys: { ...reporting, ...inPlace, dependencies: ["in-place-state-written"] },
    ends: "passed",
    reports: "no\nno\nno\nno\n",
  },
  {
    id: "in-place-artifact-from-outside",
    command: "ln -s $OUTSIDE/secret.txt got",
    keys: { ...inPlace, artifacts: [{ name: "got", path: "got" }], dependencies: ["in-place-outside-the-project"] },
    ends: refusedOrGone,
  },
  {
    id: "in-place-artifact-from-state",
    command: "ln -s .wave/state/journals journals",
    keys: { ...inPlace, artifacts: [{ name: "got", path: "journals" }], dependencies: ["in-place-outside-the-project"] },
    ends: refusedOrGone,
  },
];
