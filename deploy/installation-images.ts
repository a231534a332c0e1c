/** The images that the objects of an installation name. */
import { parseAllDocuments } from 'yaml';

export interface NamedImage {
  readonly image: string;
  /** As `Deployment server`. */
  readonly where: string;
  /** Whether it is named by its digest, and so cannot become another one. */
  readonly pinned: boolean;
}

const AGENT_IMAGE = 'CODEXK8S_AGENT_IMAGE';
const CONTAINERS = new Set(['containers', 'initContainers', 'ephemeralContainers']);

/** Reads a stream of YAML documents, as `kubectl kustomize` prints them. */
export function imagesIn(yaml: string): NamedImage[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    const object = document.toJS() as Readonly<Record<string, unknown>> | null;
    const { name } = (object?.['metadata'] ?? {}) as { readonly name?: string };
    return imagesOf(object).map((image) => ({
      image,
      where: `${String(object?.['kind'])} ${name}`,
      pinned: /@sha256:[0-9a-f]{64}$/.test(image),
    }));
  });
}

function imagesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(imagesOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, entry]: [string, unknown]) => {
    if (key === AGENT_IMAGE && typeof entry === 'string') return [entry];
    if (!CONTAINERS.has(key) || !Array.isArray(entry)) return imagesOf(entry);
    return entry.flatMap((container: { image?: unknown; env?: readonly { name: string; value?: string }[] }) => [
      ...(typeof container.image === 'string' ? [container.image] : []),
      ...(container.env ?? []).flatMap(({ name, value }) => (name === AGENT_IMAGE && value ? [value] : [])),
    ]);
  });
}
