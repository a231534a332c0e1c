/** A reporter for vitest: which files took longest, so that nobody has to guess where the suite's time goes. */
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

/** Prints this many. */
const FILES = 10;

/** Wired in vitest.config.ts. */
export class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const times = modules
      .map((module) => ({ file: relative(process.cwd(), module.moduleId), ...timesOf(module) }))
      .toSorted((one, other) => other.total - one.total);
    if (times.length < 2) return;
    const all = times.reduce((sum, { total }) => sum + total, 0);
    const lines = times
      .slice(0, FILES)
      .map(
        ({ file, total, tests, slowest }) =>
          `${seconds(total)}  ${file} (tests ${seconds(tests)}, slowest: ${slowest})`,
      );
    process.stdout.write(
      `\n The slowest of ${times.length} files, which took ${seconds(all).trim()} in all:\n${lines.map((line) => `  ${line}\n`).join('')}\n`,
    );
  }
}

/** Milliseconds of a file: of its tests with their hooks, and in all, with what had to be loaded for them. */
function timesOf(module: TestModule): { total: number; tests: number; slowest: string } {
  const { duration, collectDuration, setupDuration, prepareDuration, environmentSetupDuration } = module.diagnostic();
  let slowest = { name: '', duration: 0 };
  for (const test of module.children.allTests()) {
    const took = test.diagnostic()?.duration ?? 0;
    if (took > slowest.duration) slowest = { name: test.name, duration: took };
  }
  return {
    total: duration + collectDuration + setupDuration + prepareDuration + environmentSetupDuration,
    tests: duration,
    slowest: slowest.name === '' ? 'none' : `${seconds(slowest.duration).trim()} ${slowest.name}`,
  };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1).padStart(5)} s`;
}
