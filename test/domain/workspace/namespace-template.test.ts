import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderNamespace, templateProblem } from '../../../src/domain/workspace/namespace-template.ts';

const USUAL = '{{ .Project }}-dev-{{ .Slot }}';

describe('a template', () => {
  test.each([USUAL, '{{.Project}}-{{.Slot}}', 'team-{{ .Slot }}-dev'])('%s is one', (template) => {
    expect(templateProblem(template)).toBeUndefined();
  });

  test.each([
    ['{{ .Project }}-dev', /must contain \{\{ \.Slot \}\}/],
    ['{{ .Env }}-{{ .Slot }}', /not \{\{ \.Env \}\}/],
    ['Dev-{{ .Slot }}', /lower-case/],
    ['dev_{{ .Slot }}', /lower-case/],
    ['-{{ .Slot }}', /begin with a letter/],
    ['{{ .Slot }}-', /begin with a letter and end/],
    ['kube-system-{{ .Slot }}', /kube-/],
    ['codex-k8s-{{ .Slot }}', /codex-k8s/],
    [`${'a'.repeat(50)}-{{ .Slot }}`, /too long/],
  ])('%s is none', (template, problem) => {
    expect(templateProblem(template)).toMatch(problem);
  });
});

describe('a namespace', () => {
  test('is named after project and slot', () => {
    expect(renderNamespace(USUAL, { project: 'Shop.Web', slot: 3 })).toBe('shop-web-dev-3');
  });

  test('is a DNS label of at most 63 characters, whatever the project is called', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.integer({ min: 1, max: 9999 }), (name, slot) => {
        const namespace = renderNamespace(USUAL, { project: `p${name}`, slot });
        expect(namespace).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
      }),
    );
  });

  test('of one slot is never that of another', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.nat(9999), fc.nat(9999), (project, one, other) => {
        fc.pre(one !== other);
        expect(renderNamespace(USUAL, { project, slot: one })).not.toBe(
          renderNamespace(USUAL, { project, slot: other }),
        );
      }),
    );
  });
});
