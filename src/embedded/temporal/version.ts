/** Which Temporal CLI an executable is, and whether it is new enough. */
import { execa } from 'execa';

export interface TemporalVersion {
  /** Of the CLI. One built by `go install` calls itself 0.0.0-DEV. */
  readonly cli: string;
  /** Of the server inside it. */
  readonly server: string;
}

/** Asks the executable; undefined when it does not answer as a Temporal CLI with a server does. */
export async function temporalVersion(executable: string): Promise<TemporalVersion | undefined> {
  const { stdout, failed } = await execa(executable, ['--version'], {
    reject: false,
    timeout: 10_000,
    stdin: 'ignore',
  });
  const [, cli, server] = /temporal version (\S+) \(Server (\d+\.\d+\.\d+)/i.exec(failed ? '' : stdout) ?? [];
  return cli && server ? { cli, server } : undefined;
}

/** Why a server is not accepted, or undefined: it must be of the same major version and not older. */
export function incompatibility(server: string, oldest: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = server.split('.').map(Number);
  const [oldMajor = 0, oldMinor = 0, oldPatch = 0] = oldest.split('.').map(Number);
  const recent = minor > oldMinor || (minor === oldMinor && patch >= oldPatch);
  if (major === oldMajor && recent) return undefined;
  return `its server is ${server}, and ${oldest} or a later ${oldMajor}.x is needed`;
}
