/** The version of a Temporal CLI, and the check that it is new enough. */
import { execa } from 'execa';

export interface TemporalVersion {
  /** Version of the CLI; 0.0.0-DEV if built by `go install`. */
  readonly cli: string;
  /** Version of the server in it. */
  readonly server: string;
}

/** Runs `--version`; undefined if the executable is not a Temporal CLI with a server. */
export async function temporalVersion(executable: string): Promise<TemporalVersion | undefined> {
  const { stdout, failed } = await execa(executable, ['--version'], {
    reject: false,
    timeout: 10_000,
    stdin: 'ignore',
  });
  const [, cli, server] = /temporal version (\S+) \(Server (\d+\.\d+\.\d+)/i.exec(failed ? '' : stdout) ?? [];
  return cli && server ? { cli, server } : undefined;
}

/** The reason why a server is refused; undefined if it has the same major version and is not older. */
export function incompatibility(server: string, oldest: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = server.split('.').map(Number);
  const [oldMajor = 0, oldMinor = 0, oldPatch = 0] = oldest.split('.').map(Number);
  const recent = minor > oldMinor || (minor === oldMinor && patch >= oldPatch);
  if (major === oldMajor && recent) return undefined;
  return `its server is ${server}, and ${oldest} or a later ${oldMajor}.x is needed`;
}
