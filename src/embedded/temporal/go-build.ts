/** The Temporal CLI by Go: an existing build, or a new one. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { execa, type Options } from 'execa';

const MODULE = 'github.com/temporalio/cli';
/** The version in go.mod of the CLI. From 1.21 on, Go downloads a newer toolchain if it may. */
export const GO_VERSION = '1.25';
const BUILD_LIMIT_MS = 30 * 60_000;

/** The CLI of exactly this release in Go's bin directory; undefined if there is none. */
export async function findGoBuild(version: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const paths = await execa('go', ['env', 'GOBIN', 'GOPATH'], settings(env));
  if (paths.failed) return undefined;
  const [gobin, gopath = ''] = paths.stdout.split('\n');
  const executable = join(gobin || join(gopath.split(':')[0] ?? '', 'bin'), 'temporal');
  if (!isExecutable(executable)) return undefined;
  const { stdout } = await execa('go', ['version', '-m', executable], settings(env));
  return stdout.includes(`\tmod\t${MODULE}\tv${version}\t`) ? executable : undefined;
}

/** Builds a release in a directory and returns the path of the executable. Takes minutes the first time. */
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
