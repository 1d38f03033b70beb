/** Versions of git, and the oldest one that Wave runs with. */

/** The oldest supported version, as README names it; continuous integration runs the tests of git with it. */
export const oldestGit = "2.30";

/** The version in an answer of `git --version`, such as `2.39.5` or `2.30.0.rc1`. Undefined if it names none. */
export function gitVersionIn(answer: string): string | undefined {
  return /^git version (\d+\.\d+\S*)/m.exec(answer)?.[1];
}

/** Whether a version is older than `oldestGit`: major and minor number count. */
export function isOutdatedGit(version: string): boolean {
  const [major = 0, minor = 0] = numbersOf(version);
  const [oldestMajor = 0, oldestMinor = 0] = numbersOf(oldestGit);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

function numbersOf(version: string): readonly number[] {
  return version.split(".", 2).map(Number);
}
