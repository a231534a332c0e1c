/**
 * A project's template for the namespaces of its workspaces: `{{ .Project }}-dev-{{ .Slot }}`. A slot is a number that is
 * leased to one issue for as long as its workspace exists. Pure.
 */

const PLACEHOLDER = /\{\{\s*\.(?<name>\w+)\s*\}\}/g;

/** The greatest length of a DNS label. */
const LABEL_CHARACTERS = 63;

/** Room for the slot's number, and for the suffix of a namespace that follows one still being deleted. */
const ROOM_CHARACTERS = 6;

/** What is wrong with a template, in a sentence; undefined when nothing is. */
export function templateProblem(template: string): string | undefined {
  const names = [...template.matchAll(PLACEHOLDER)].map(({ groups }) => groups?.['name']);
  const unknown = names.find((name) => name !== 'Project' && name !== 'Slot');
  if (unknown !== undefined) return `knows {{ .Project }} and {{ .Slot }}, not {{ .${unknown} }}`;
  if (!names.includes('Slot')) return 'must contain {{ .Slot }}, so that no two issues share a namespace';
  if (/^(kube-|codex-k8s)/.test(template)) return 'must not begin with kube- or codex-k8s, which belong to the cluster';
  const fixed = template.replaceAll(PLACEHOLDER, '');
  if (!/^[a-z0-9-]*$/.test(fixed)) return 'may hold lower-case letters, digits and hyphens besides its placeholders';
  if (fixed.length > LABEL_CHARACTERS - 3 * ROOM_CHARACTERS) return 'is too long for a namespace';
  const example = renderNamespace(template, { project: 'project', slot: 1 });
  return /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(example)
    ? undefined
    : 'must begin with a letter and end with a letter or digit';
}

/** The namespace of a slot; the project's name is shortened if the result would be too long. */
export function renderNamespace(template: string, { project, slot }: { project: string; slot: number }): string {
  const fixed = template.replaceAll(PLACEHOLDER, '').length;
  const uses = [...template.matchAll(PLACEHOLDER)].filter(({ groups }) => groups?.['name'] === 'Project').length;
  const room = Math.floor((LABEL_CHARACTERS - ROOM_CHARACTERS - fixed) / Math.max(1, uses));
  const name = project
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, room)
    .replaceAll(/^-+|-+$/g, '');
  return template.replaceAll(PLACEHOLDER, (_, placeholder: string) => (placeholder === 'Slot' ? String(slot) : name));
}
