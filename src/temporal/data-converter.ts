/** How values become payloads: the same in every client, every worker and the workflows' bundle. */
import { fileURLToPath } from 'node:url';

export const dataConverter = {
  payloadConverterPath: fileURLToPath(new URL('../../workflows/payload-converter.ts', import.meta.url)),
} as const;
