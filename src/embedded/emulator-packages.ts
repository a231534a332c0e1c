/** What only `up` and the demo need, and the images of a deployment have not (deploy/images/Dockerfile). */
import { findPackageJSON } from 'node:module';
import { CommandProblem } from '../terminal/problems.ts';

const PACKAGES = ['emulate', '@copilotkit/aimock'];

/** Throws where the emulators are not installed. */
export function requireEmulators(from: string = import.meta.url): void {
  const absent = PACKAGES.filter((name) => !isInstalled(name, from));
  if (absent.length === 0) return;
  throw new CommandProblem(
    `There are no emulators in this installation: ${absent.join(' and ')} not found.\n` +
      'up and demo start the platform of a developer, with a GitHub and a model that are emulated. They need a checkout with all\n' +
      'packages (npm ci). A deployment runs server and worker (docs/kubernetes.md).',
    2,
  );
}

function isInstalled(name: string, from: string): boolean {
  try {
    return findPackageJSON(name, from) !== undefined;
  } catch {
    return false;
  }
}
