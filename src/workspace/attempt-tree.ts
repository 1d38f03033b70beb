/** What a provider makes of the project for one attempt. The workspace is the same above all of them. */

import type { IncludedFiles } from "../changeset/before-state.ts";
import type { CollectRequest } from "../changeset/collect-changes.ts";
import type { ProjectStart } from "../changeset/project-start.ts";
import type { Changeset } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import type { Step } from "../core/pipeline.ts";
import type { AttemptChanges, BlobStore, Redactor, TreeEntry, WorkspaceEntry } from "../core/ports.ts";
import type { Result } from "../core/result.ts";
import type { Isolation } from "../sandbox/isolation.ts";
import type { Bind, Tree } from "../sandbox/view.ts";
import type { AttemptDirs } from "./attempt-dirs.ts";
import type { BaseFiles } from "./base.ts";

/** The settings of all workspaces of a run. `root` and `stateDir` are absolute. */
export interface WorkspaceSetting {
  readonly root: string;
  readonly stateDir: string;
  /** The project's state directory, which no workspace shows. Defaults to `stateDir`. */
  readonly stateRoot?: string;
  /** The environment of the wave process; PATH, HOME and LANG are taken from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isolation: Isolation;
  readonly blobs: BlobStore;
  readonly redactor: Redactor;
  /** The project's files as they were when the run was planned; undefined if nothing but the run can change the project. */
  readonly files?: BaseFiles;
  /** Milliseconds between SIGTERM and SIGKILL. Defaults to 2000. */
  readonly graceMs?: number;
}

/** The settings that the trees of isolated attempts need. */
export interface TreeSetting extends Pick<WorkspaceSetting, "root" | "stateDir" | "stateRoot" | "isolation" | "blobs" | "redactor"> {
  /** Whether a project path belongs to state, and so to no workspace. */
  readonly isExcluded: (path: string) => boolean;
  /** Whether git has rules for the project. */
  readonly isKnownToGit: () => Promise<boolean>;
}

/** What a tree is made for. */
export interface TreeRequest {
  readonly step: Step;
  readonly dirs: AttemptDirs;
  /** What lies over the project. */
  readonly start: Changeset;
  /** Which paths the step may read; nothing where it may read all. */
  readonly reads?: (path: string) => boolean;
  /** The paths that hide the rest, topmost only. */
  readonly hidden: readonly string[];
  readonly sandboxed: boolean;
  /** Absolute paths that the sandbox masks or replaces, in the project or outside. Asked for only if the attempt renamed directories. */
  readonly masked?: () => Promise<readonly string[]>;
  /** Whether a project path belongs to a repository's own files, which no changeset contains. */
  readonly isRepository: (path: string) => boolean;
  /** The project as it was before the run's first attempt; undefined for an attempt in the project itself. */
  readonly project?: ProjectStart;
  /** Ignored files that the step's changeset includes. */
  readonly included?: IncludedFiles;
}

/** What a changeset of an attempt is compared with. */
export function changesetStart({ start, project, included }: TreeRequest): Pick<CollectRequest, "start" | "project" | "included"> {
  return { start, ...defined({ project, included }) };
}

/** The project's tree as one attempt has it. */
export interface AttemptTree {
  /** Where a child that is not fenced finds it. */
  readonly place: string;
  /** The directory that grows with what the attempt writes, and the bytes that were in it at the start. */
  readonly written: { readonly directory: string; readonly bytes: number };
  /** Printable paths of ignored files and directories that the tree lacks, because they cannot be read, sorted. Defaults to none. */
  readonly unreadable?: readonly string[];
  /** What a fenced child needs besides. */
  readonly binds?: readonly Bind[];
  /** What a view of the attempt shows. */
  readonly tree: Tree;
  /**
   * What a contract's command sees: all of the tree, as the attempt left it except for `restore`. What it writes is given back with `release`. Fails
   * with `workspace-failed` if files are to be restored in the project itself.
   */
  forContract(restore?: ReadonlyMap<string, TreeEntry | undefined>): Promise<Result<{ readonly tree: Tree; release(): Promise<void> }>>;
  read(path: string, limit: number): Promise<Result<Uint8Array>>;
  list(glob: string): Promise<Result<readonly WorkspaceEntry[]>>;
  /** As `Workspace.write`, of the tree. */
  write(entries: ReadonlyMap<string, TreeEntry | undefined>): Promise<Result<void>>;
  /** Nothing where it cannot tell its own changes from others'. */
  changeset(): Promise<Result<AttemptChanges | undefined>>;
}
