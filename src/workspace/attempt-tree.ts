/** The project's tree for one attempt. Each provider implements it; the workspace uses it without knowing which. */
import type { IncludedFiles } from "../changeset/before-state.ts";
import type { ChangesRequest } from "../changeset/collect-changes.ts";
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
  /** The environment of the Wave process, from which PATH, HOME and LANG are taken. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isolation: Isolation;
  readonly blobs: BlobStore;
  readonly redactor: Redactor;
  /** The project's files when the run was planned. Undefined if only the run can change the project. */
  readonly files?: BaseFiles;
  /** Milliseconds between SIGTERM and SIGKILL. Defaults to 2000. */
  readonly graceMs?: number;
}

/** The settings that the trees of isolated attempts need. */
export interface TreeSetting extends Pick<WorkspaceSetting, "root" | "stateDir" | "stateRoot" | "isolation" | "blobs" | "redactor"> {
  /** Whether a project path belongs to state, which no workspace contains. */
  readonly isExcluded: (path: string) => boolean;
  /** Whether git has rules for the project. */
  readonly isKnownToGit: () => Promise<boolean>;
}

/** The attempt for which a tree is created. */
export interface TreeRequest {
  readonly step: Step;
  readonly dirs: AttemptDirs;
  /** The changes to apply over the project. */
  readonly start: Changeset;
  /** The paths that the step may read. Undefined if it may read all. */
  readonly reads?: (path: string) => boolean;
  /** The topmost paths to hide, all others being readable. */
  readonly hidden: readonly string[];
  readonly sandboxed: boolean;
  /**
   * Absolute paths that the sandbox masks or replaces, inside or outside the project. Called only if the attempt renamed
   * directories.
   */
  readonly masked?: () => Promise<readonly string[]>;
  /** Whether a project path belongs to a repository's own files, which no changeset contains. */
  readonly isRepository: (path: string) => boolean;
  /** The project before the run's first attempt. Undefined for an attempt in the project itself. */
  readonly project?: ProjectStart;
  /** Ignored files that the step's changeset includes. */
  readonly included?: IncludedFiles;
}

/** The states that the changeset of an attempt is compared with, and the ignored files in it. */
export function changesetStart(
  { step, start, project, included }: TreeRequest,
  isKnownToGit: () => Promise<boolean>,
): Pick<ChangesRequest, "start" | "project" | "ignored"> {
  const ignored = { include: step.changesInclude, isKnownToGit, ...defined({ before: included }) };
  return { start, ignored, ...defined({ project }) };
}

/** The project's tree of one attempt. */
export interface AttemptTree {
  /** The tree's path for a child without a sandbox. */
  readonly place: string;
  /** The directory that grows with the attempt's writes, and its size at the start in bytes. */
  readonly written: { readonly directory: string; readonly bytes: number };
  /** Printable paths of ignored files and directories that the tree lacks because they are unreadable, sorted. Defaults to none. */
  readonly unreadable?: readonly string[];
  /** Additional binds for a sandboxed child. */
  readonly binds?: readonly Bind[];
  /** The tree for views of the attempt. */
  readonly tree: Tree;
  /**
   * The tree for a contract's command: all files as the attempt left them, except for `restore`. `release` removes the
   * command's writes. Fails with `workspace-failed` if files would be restored in the project itself.
   */
  forContract(restore?: ReadonlyMap<string, TreeEntry | undefined>): Promise<Result<{ readonly tree: Tree; release(): Promise<void> }>>;
  read(path: string, limit: number): Promise<Result<Uint8Array>>;
  list(glob: string): Promise<Result<readonly WorkspaceEntry[]>>;
  /** Like `Workspace.write`, for the tree. */
  write(entries: ReadonlyMap<string, TreeEntry | undefined>): Promise<Result<void>>;
  /** Undefined if the attempt's changes cannot be distinguished from others. */
  changeset(): Promise<Result<AttemptChanges | undefined>>;
}
