/** The Temporal CLI by way of Go: one that is already built, or a build of our own. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { execa, type Options } from 'execa';

const MODULE = 'github.com/temporalio/cli';
/** What go.mod of the CLI asks for. From 1.21 on, Go fetches a newer one of itself where it may. */
export const GO_VERSION = '1.25';
const BUILD_LIMIT_MS = 30 * 60_000;

/** The CLI of exactly this release in Go's own bin directory, or undefined. */
export async function findGoBuild(version: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const places = await execa('go', ['env', 'GOBIN', 'GOPATH'], settings(env));
  if (places.failed) return undefined;
  const [gobin, gopath = ''] = places.stdout.split('\n');
  const executable = join(gobin || join(gopath.split(':')[0] ?? '', 'bin'), 'temporal');
  if (!isExecutable(executable)) return undefined;
  const { stdout } = await execa('go', ['version', '-m', executable], settings(env));
  return stdout.includes(`\tmod\t${MODULE}\tv${version}\t`) ? executable : undefined;
}

/** Builds a release in a directory and gives the path of the executable. Minutes the first time. */
export async function buildWithGo(directory: string, version: string, env: NodeJS.ProcessEnv): Promise<string> {
  const named = `-X ${MODULE}/temporalcli.Version=${version}`;
  const build = await execa('go', ['install', '-ldflags', named, `${MODULE}/cmd/temporal@v${version}`], {
    ...settings({ ...env, GOBIN: directory, GOWORK: 'off' }),
    cwd: directory,
    timeout: BUILD_LIMIT_MS,
  });
  if (!build.failed) return join(directory, 'temporal');
  throw new Error(
    build.code === 'ENOENT' ? 'Go is not installed' : `go install failed: ${build.stderr.slice(-500) || build.message}`,
  );
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function settings(env: NodeJS.ProcessEnv) {
  return { env, extendEnv: false, reject: false, stdin: 'ignore' } as const satisfies Options;
}
