/**
 * Directories that are repositories, or look like ones, and name a program in every way git knows. They are plain data, so that a test can
 * lay them out itself or let a step do it, and that fast-check can combine them.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { contentsBelow } from "./contents-below.ts";

/** A file (its bytes in base64), or a symbolic link. */
export type LaidEntry = { readonly base64: string; readonly executable?: true } | { readonly link: string };

/** Paths relative to the project. */
export type Layout = Readonly<Record<string, LaidEntry>>;

/** Appends a line to a file when it is started on this machine; a sandbox does not show it. */
export interface Marker {
  readonly program: string;
  readonly fired: () => readonly string[];
}

export function makeMarker(directory: string): Marker {
  const program = path.join(directory, "marker");
  const log = path.join(directory, "fired");
  // Everybody may write it: scenes run as other users.
  writeFileSync(log, "");
  chmodSync(log, 0o666);
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >>'${log}'\ncat >/dev/null 2>&1 </dev/null\nexit 0\n`);
  chmodSync(program, 0o755);
  chmodSync(directory, 0o755);
  return {
    program,
    fired: () =>
      readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line !== ""),
  };
}

const text = (content: string): LaidEntry => ({ base64: Buffer.from(content).toString("base64") });
const script = (content: string): LaidEntry => ({ ...text(content), executable: true });
const below = (place: string, name: string) => (place === "" ? name : `${place}/${name}`);

/** Configuration by name. `%` stands for the program. */
export const settings: Readonly<Record<string, string>> = {
  filter: '[filter "trap"]\n\tclean = % clean\n\tsmudge = % smudge\n\trequired = true\n',
  process: '[filter "trap"]\n\tprocess = % process\n\trequired = true\n',
  fsmonitor: "[core]\n\tfsmonitor = % fsmonitor\n",
  hooks: "[core]\n\thooksPath = hooks\n",
  diff: '[diff]\n\texternal = % external\n[diff "trap"]\n\tcommand = % diff\n\ttextconv = % textconv\n\tcachetextconv = true\n',
  merge: '[merge "trap"]\n\tdriver = % merge\n',
  pager: "[core]\n\tpager = % pager\n[pager]\n\tls-files = % pager\n\tlog = % pager\n\tconfig = % pager\n",
  editor: "[core]\n\teditor = % editor\n\taskPass = % askpass\n[sequence]\n\teditor = % editor\n",
  transport:
    '[core]\n\tsshCommand = % ssh\n\tgitProxy = % proxy\n[remote "origin"]\n\turl = ext::% ext\n\tuploadpack = % uploadpack\n[protocol]\n\tallow = always\n',
  promisor:
    '[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = ext::% ext\n\tpromisor = true\n[protocol "ext"]\n\tallow = always\n',
  signatures: "[gpg]\n\tprogram = % gpg\n[log]\n\tshowSignature = true\n[commit]\n\tgpgSign = true\n",
  credentials: "[credential]\n\thelper = !% credential\n",
  aliases: "[alias]\n\tls-files = !% alias\n\tstatus = !% alias\n\trev-parse = !% alias\n\tdiff = !% alias\n",
  alternates: "[core]\n\talternateRefsCommand = % alternates\n[uploadpack]\n\tpackObjectsHook = % pack\n",
  attributes: "[core]\n\tattributesFile = .trap-attributes\n\texcludesFile = .trap-attributes\n",
  include: '[include]\n\tpath = trap.included\n[includeIf "gitdir:/"]\n\tpath = trap.included\n',
  submodule: '[submodule "x"]\n\tactive = true\n\tupdate = !% update\n\turl = ext::% ext\n',
  worktree: "[core]\n\tworktree = .\n\tbare = false\n",
};

/** Where a layout is put, and what its configuration holds. */
export interface Piece {
  readonly kind: keyof typeof kinds;
  /** A directory of the project; `""` for the project itself. */
  readonly place: string;
  /** Names of `settings`. */
  readonly settings: readonly string[];
}

/** Files that the indexes of repositories in layouts know. The project has them, with other contents of the same size. */
const knownFiles = ["tracked.txt", "sub/tracked.txt"];
const hookNames = [
  "post-index-change",
  "fsmonitor-watchman",
  "post-checkout",
  "pre-commit",
  "reference-transaction",
  "pre-auto-gc",
  "post-merge",
];
const attributes = "* filter=trap diff=trap merge=trap -text\n";

/** Makes the directory of a repository, with programs at every place. */
function repository(at: string, piece: Piece, program: string): Layout {
  const config = `[core]\n\trepositoryFormatVersion = 1\n${piece.settings.map((name) => settings[name] ?? "").join("")}`;
  return {
    ...Object.fromEntries(Object.entries(plainRepository()).map(([name, entry]) => [below(at, name), entry])),
    [below(at, "config")]: text(config.replaceAll("%", program)),
    [below(at, "config.worktree")]: text(config.replaceAll("%", program)),
    [below(at, "trap.included")]: text((settings["fsmonitor"] ?? "").replaceAll("%", program)),
    [below(at, "info/attributes")]: text(attributes),
    ...Object.fromEntries(hookNames.map((name) => [below(at, `hooks/${name}`), script(`#!/bin/sh\nexec ${program} ${name}\n`)])),
  };
}

const kinds = {
  "bare-looking directory": (piece: Piece, program: string) => repository(piece.place, piece, program),
  "git directory": (piece: Piece, program: string) => repository(below(piece.place, ".git"), piece, program),
  "git file": (piece: Piece, program: string) => ({
    ...repository(below(piece.place, "store"), piece, program),
    [below(piece.place, ".git")]: text("gitdir: store\n"),
  }),
  "git link": (piece: Piece, program: string) => ({
    ...repository(below(piece.place, "store"), piece, program),
    [below(piece.place, ".git")]: { link: "store" },
  }),
  "common directory": (piece: Piece, program: string) => ({
    ...repository(below(piece.place, "store"), piece, program),
    [below(piece.place, ".git/commondir")]: text("../store\n"),
    [below(piece.place, ".git/HEAD")]: text("ref: refs/heads/main\n"),
    [below(piece.place, ".git/index")]: plainRepository()["index"] ?? text(""),
  }),
  "work tree of another repository": (piece: Piece, program: string) => ({
    ...repository(below(piece.place, "store"), piece, program),
    [below(piece.place, "store/worktrees/w/HEAD")]: text("ref: refs/heads/main\n"),
    [below(piece.place, "store/worktrees/w/commondir")]: text("../..\n"),
    [below(piece.place, "store/worktrees/w/gitdir")]: text("../../../.git\n"),
    [below(piece.place, "store/worktrees/w/config.worktree")]: text((settings["fsmonitor"] ?? "").replaceAll("%", program)),
    [below(piece.place, ".git")]: text("gitdir: store/worktrees/w\n"),
  }),
  submodule: (piece: Piece, program: string) => ({
    ...repository(below(piece.place, ".git/modules/x"), piece, program),
    [below(piece.place, ".gitmodules")]: text('[submodule "x"]\n\tpath = x\n\turl = ./x\n\tupdate = checkout\n'),
    [below(piece.place, "x/.git")]: text("gitdir: ../.git/modules/x\n"),
    [below(piece.place, "x/tracked.txt")]: text("in a submodule\n"),
  }),
  "borrowed objects": (piece: Piece, program: string) => ({
    ...repository(below(piece.place, "lender.git"), piece, program),
    [below(piece.place, "objects/info/alternates")]: text("../lender.git/objects\n"),
    [below(piece.place, ".git/objects/info/alternates")]: text("../../lender.git/objects\n"),
  }),
  "tracked attributes": (piece: Piece, program: string) => ({
    [below(piece.place, ".gitattributes")]: text(attributes),
    [below(piece.place, ".trap-attributes")]: text(attributes),
    [below(piece.place, ".gitconfig")]: text(
      piece.settings
        .map((name) => settings[name] ?? "")
        .join("")
        .replaceAll("%", program),
    ),
    [below(piece.place, ".lfsconfig")]: text(`[lfs]\n\turl = ext::${program}\n`),
  }),
  "a program called git": (piece: Piece, program: string) => ({
    [below(piece.place, "git")]: script(`#!/bin/sh\nexec ${program} planted\n`),
    [below(piece.place, "node_modules/.bin/git")]: script(`#!/bin/sh\nexec ${program} planted\n`),
  }),
} satisfies Record<string, (piece: Piece, program: string) => Layout>;

export const pieceKinds = Object.keys(kinds) as readonly (keyof typeof kinds)[];

/** One layout for all pieces. An entry of a later one replaces those of earlier ones that it cannot be beside. */
export function layoutOf(pieces: readonly Piece[], program: string): Layout {
  const laid = new Map<string, LaidEntry>();
  for (const piece of pieces) {
    const layout: Layout = kinds[piece.kind](piece, program);
    for (const [file, entry] of Object.entries(layout)) {
      for (const there of [...laid.keys()]) if (there.startsWith(`${file}/`) || file.startsWith(`${there}/`)) laid.delete(there);
      laid.set(file, entry);
    }
  }
  return Object.fromEntries(laid);
}

/** Puts a layout into a directory, over what is there. The text of a program for Node does the same for a step. */
export function layOut(root: string, layout: Layout): void {
  for (const [file, entry] of Object.entries(layout)) {
    const place = path.join(root, file);
    if (file.endsWith("tracked.txt") && existsSync(place)) continue;
    mkdirSync(path.dirname(place), { recursive: true });
    rmSync(place, { recursive: true, force: true });
    if ("link" in entry) symlinkSync(entry.link, place);
    else writeFileSync(place, Buffer.from(entry.base64, "base64"), { mode: entry.executable === true ? 0o755 : 0o644 });
  }
}

/** A program for Node that lays out `layout.json` in its directory, and goes on where it may not write. */
export const layingProgram = `
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
for (const [file, entry] of Object.entries(JSON.parse(readFileSync("layout.json", "utf8")))) {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    rmSync(file, { recursive: true, force: true });
    if ("link" in entry) symlinkSync(entry.link, file);
    else writeFileSync(file, Buffer.from(entry.base64, "base64"), { mode: entry.executable ? 0o755 : 0o644 });
  } catch {}
}
`;

let made: Layout | undefined;

/** What git itself writes for a repository that has committed the known files: its index knows them, with other contents. */
function plainRepository(): Layout {
  if (made !== undefined) return made;
  const place = mkdtempSync(path.join(tmpdir(), "wave-layout-"));
  const git = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", ...words], {
      cwd: place,
      stdio: "pipe",
    });
  for (const file of knownFiles) {
    mkdirSync(path.dirname(path.join(place, file)), { recursive: true });
    // As long as the file in the project: git compares contents, by way of filters, only if the sizes are equal.
    writeFileSync(path.join(place, file), "trackee\n");
  }
  git("init", "-q");
  git("add", "-A");
  git("commit", "-q", "-m", "first");
  const names = Object.keys(contentsBelow(path.join(place, ".git"))).filter((name) => !name.startsWith("hooks/") && name !== "config");
  made = Object.fromEntries(names.map((name) => [name, { base64: readFileSync(path.join(place, ".git", name)).toString("base64") }]));
  rmSync(place, { recursive: true });
  return made;
}
